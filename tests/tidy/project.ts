/**
 * The project as the tidy tests see it: its files and what each imports.
 *
 * The idea: ask `deno info` for the import graph instead of reading imports with a regular
 * expression. Limits: the list of what is not ours repeats .gitignore, so that no git is needed.
 *
 * @module
 */
import { fromFileUrl, run } from "../support/command.ts";

/** What .gitignore leaves out, and what is not the project's own. */
const NOT_OURS =
  /^(\.git|\.coverage|\.vscode|node_modules|tests\/\.scratch|dist\/ntpsd(\.js|-(x86_64|aarch64).*)?)$/;

/** The root folder of the repository, an absolute path without a slash at the end. */
export const ROOT = fromFileUrl(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** One import or re-export: by whom, of what, and whether it is still there at run time. */
export interface Edge {
  /** Path of the importing file, from the root. */
  readonly from: string;
  /** Path of the imported file from the root, or an `npm:` or `node:` specifier. */
  readonly to: string;
  /** Whether only types are imported. */
  readonly typeOnly: boolean;
}

/** Lists the files of the project, from the root, sorted; built and scratch files left out. */
export async function projectFiles(): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const entry of Deno.readDir(`${ROOT}/${folder}`)) {
      const path = `${folder}${entry.name}`;
      if (NOT_OURS.test(path)) continue;
      if (entry.isDirectory) await walk(`${path}/`);
      else found.push(path);
    }
  };
  await walk("");
  return found.sort();
}

/** Lists the TypeScript files of the project, from the root, sorted. */
export async function sourceFiles(): Promise<readonly string[]> {
  return (await projectFiles()).filter((path) => path.endsWith(".ts"));
}

/** Reads the import graph of all TypeScript files as `deno info --json` tells it. */
export async function importGraph(): Promise<readonly Edge[]> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const imports = (await sourceFiles()).map((path) =>
      `import ${JSON.stringify(`${ROOT}/${path}`)};`
    );
    await Deno.writeTextFile(entry, imports.join("\n"));
    const { stdout } = await run(Deno.execPath(), {
      args: ["info", "--json", "--config", `${ROOT}/deno.json`, entry],
      cwd: ROOT,
    });
    return edges(JSON.parse(stdout) as Info).filter((edge) => !edge.from.startsWith("/"));
  } finally {
    await Deno.remove(entry);
  }
}

interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

function edges(info: Info): Edge[] {
  return info.modules.flatMap((module) =>
    (module.dependencies ?? []).map((dependency) => ({
      from: fromRoot(module.specifier),
      to: fromRoot(
        dependency.code?.specifier ?? dependency.type?.specifier ?? dependency.specifier,
      ),
      typeOnly: dependency.code === undefined,
    }))
  );
}

function fromRoot(specifier: string): string {
  if (!specifier.startsWith("file:")) return specifier;
  const path = fromFileUrl(new URL(specifier));
  return path.startsWith(`${ROOT}/`) ? path.slice(ROOT.length + 1) : path;
}
