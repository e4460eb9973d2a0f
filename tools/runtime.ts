/**
 * The deno executable of another processor, from its npm package.
 *
 * @module
 */
import { err, ok, type Result } from "../src/base/result.ts";
import { execute, type Target } from "./build_settings.ts";

/** A deno executable. */
export interface Runtime {
  /** Its path. */
  readonly path: string;
  /** Its version, `2.9.6`. */
  readonly version: string;
}

/**
 * Fetches deno for another processor into a folder: at the version that runs here or, where the
 * registry has not got that, the newest patch of the same minor version.
 */
export async function fetchRuntime(
  target: Target,
  folder: string,
): Promise<Result<Runtime, string>> {
  const exact = Deno.version.deno;
  const name = target.runtimePackage;
  const file = await pack(`${name}@${exact}`, folder) ??
    await pack(`${name}@~${exact.replace(/\.\d+$/, ".0")}`, folder);
  if (file === undefined) {
    return err(`The npm package ${name} at version ${exact} was wanted, npm has none`);
  }
  const opened = await execute("tar", ["-xzf", file, "-C", folder]);
  await Deno.remove(file);
  if (!opened.ok) return err(`The npm package ${name} cannot be unpacked: ${opened.said}`);
  const about = JSON.parse(await Deno.readTextFile(`${folder}/package/package.json`));
  return ok({ path: `${folder}/package/deno`, version: String(about.version) });
}

async function pack(specifier: string, folder: string): Promise<string | undefined> {
  const args = ["pack", "--silent", "--pack-destination", folder, specifier];
  const packed = await execute("npm", args);
  return packed.ok ? `${folder}/${packed.stdout.trim().split("\n").at(-1) ?? ""}` : undefined;
}
