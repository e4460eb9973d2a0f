/**
 * Prints how much of the source a run of the fuzzer reaches, folder by folder.
 *
 *     deno task fuzz:coverage                         300,000 inputs, or five minutes
 *     deno task fuzz:coverage --executions 100000
 *     deno task fuzz:coverage server engine           of two targets alone
 *     deno task fuzz:coverage --files src/nts         file by file, with the lines that were not reached
 *
 * The idea: V8 counts what runs, deno maps it to lines, and here lines are added up. Limits: files
 * that no target loads are not counted; a line that was reached is not a line that is right.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fromFileUrl } from "../support/command.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const SEED = "20260101";

/** Lines of one file: how many there are, and which were not reached. */
interface FileLines {
  readonly found: number;
  readonly missed: readonly number[];
}

const { values, positionals: targets } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    executions: { type: "string", default: "300000" },
    seconds: { type: "string", default: "300" },
    files: { type: "string" },
  },
});
const folder = await Deno.makeTempDir();
try {
  const limits = ["--executions", values.executions, "--seconds", values.seconds];
  await deno([
    "run",
    `--coverage=${folder}`,
    "--no-prompt",
    "-P=tests",
    "tests/fuzz/run.ts",
    ...targets,
    ...limits,
    "--seed",
    SEED,
  ], "inherit");
  const lcov = await deno(["coverage", "--lcov", `--include=^file://${ROOT}src/`, folder], "piped");
  const files = readLcov(lcov);
  if (values.files === undefined) printFolders(files);
  else printFiles(files, values.files);
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function deno(args: readonly string[], stdout: "inherit" | "piped"): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], cwd: ROOT, stdout });
  const child = command.spawn();
  const output = stdout === "piped" ? await new Response(child.stdout).text() : "";
  const { success } = await child.status;
  if (!success) Deno.exit(1);
  return output;
}

/** Reads a tracefile: `SF:` begins a file, `DA:line,count` tells of a line. */
function readLcov(text: string): ReadonlyMap<string, FileLines> {
  const files = new Map<string, FileLines>();
  for (const record of text.split("end_of_record")) {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    if (path === undefined) continue;
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(([, line, count]) =>
      [Number(line), Number(count)] as const
    );
    const missed = lines.filter(([, count]) => count === 0).map(([line]) => line);
    files.set(path.replace(ROOT, ""), { found: lines.length, missed });
  }
  return files;
}

function printFolders(files: ReadonlyMap<string, FileLines>): void {
  const folders = new Map<string, { found: number; missed: number; files: number }>();
  for (const [path, { found, missed }] of files) {
    const name = path.split("/").slice(0, 2).join("/");
    const sum = folders.get(name) ?? { found: 0, missed: 0, files: 0 };
    sum.found += found;
    sum.missed += missed.length;
    sum.files++;
    folders.set(name, sum);
  }
  for (const [name, { found, missed, files: count }] of [...folders].sort()) {
    console.log(`${name.padEnd(18)} ${String(count).padStart(3)} files ${share(found, missed)}`);
  }
}

function printFiles(files: ReadonlyMap<string, FileLines>, wanted: string): void {
  for (const [path, { found, missed }] of [...files].sort()) {
    if (!path.startsWith(wanted)) continue;
    console.log(`${path.padEnd(44)} ${share(found, missed.length)}  ${rangesOf(missed)}`);
  }
}

function share(found: number, missed: number): string {
  const percent = (100 * (found - missed) / Math.max(1, found)).toFixed(1);
  return `${String(found - missed).padStart(6)} of ${String(found).padStart(6)} lines ${
    percent.padStart(6)
  } %`;
}

/** Writes rising numbers as ranges: `3-5 9`. */
function rangesOf(lines: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const line of lines) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([from, to]) => from === to ? `${from}` : `${from}-${to}`).join(" ");
}
