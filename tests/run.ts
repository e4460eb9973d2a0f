/**
 * Runs everything that CI tests, stage by stage, and sums up.
 *
 * The problem: the stages need different permissions (the core none at all, the system side net and ffi, whole-program tests
 * the right to run other programs), and one closing line must tell the truth about all of them. The idea: one `deno test`
 * for each stage, its JUnit report for the counts and its exit status as the last word. Limits: a stage that ends badly
 * without naming a failed test counts as one failure.
 *
 *     deno task test              every stage
 *     deno task test pure tidy    the named stages
 *
 * @module
 */
import { fromFileUrl } from "./support/command.ts";
import { addCounts, type Counts, readJunit, summary } from "./support/junit.ts";
import { PURE_FOLDERS } from "./tidy/lint_plugin.ts";

/** A part of the tests with its own permissions; `folders` hold test files, `command` is a deno command that must succeed. */
interface Stage {
  readonly name: string;
  readonly purpose: string;
  readonly command?: readonly string[];
  readonly folders?: readonly string[];
  readonly flags?: readonly string[];
}

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const STAGE_TIMEOUT_MS = 12 * 60_000;

const STAGES: readonly Stage[] = [
  { name: "format", purpose: "deno fmt --check", command: ["fmt", "--check", "--quiet"] },
  { name: "lint", purpose: "deno lint with the house rules", command: ["lint", "--quiet"] },
  { name: "types", purpose: "deno check of every file", command: ["check", "--quiet", "."] },
  {
    name: "pure",
    purpose: "the core, with no permission at all",
    folders: PURE_FOLDERS.map((folder) => `src/${folder}`),
    flags: ["--parallel"],
  },
  {
    name: "edge",
    purpose: "ffi, daemon and commands, with net and ffi alone",
    folders: ["ffi", "src/daemon", "src/cli"],
    flags: ["--allow-net", "--allow-ffi"],
  },
  {
    name: "tidy",
    purpose: "the shape of the project",
    folders: ["tests/tidy"],
    flags: ["-P=tests"],
  },
  {
    name: "spanning",
    purpose: "vectors, simulation, fuzzing",
    folders: ["tests/vectors", "tests/simulation", "tests/fuzz", "tests/support"],
    flags: ["-P=tests"],
  },
  {
    name: "interop",
    purpose: "real peers: chronyd and ntpd",
    folders: ["tests/interop"],
    flags: ["-P=tests"],
  },
  {
    name: "system",
    purpose: "the program from source, as bundle and as dist/ntpsd",
    folders: ["tests/system"],
    flags: ["-P=tests"],
  },
];

Deno.exit(await main(Deno.args));

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    console.error(
      `No stage is called ${unknown.join(", ")}; there are: ${
        STAGES.map((s) => s.name).join(", ")
      }`,
    );
    return 64;
  }
  const chosen = STAGES.filter((stage) => names.length === 0 || names.includes(stage.name));
  const results: { stage: Stage; counts: Counts; seconds: number }[] = [];
  for (const stage of chosen) {
    console.log(`\n=== ${stage.name}: ${stage.purpose}`);
    const start = performance.now();
    const counts = await runStage(stage);
    results.push({ stage, counts, seconds: (performance.now() - start) / 1000 });
  }
  return report(results);
}

async function runStage(stage: Stage): Promise<Counts> {
  if (stage.command !== undefined) {
    const passed = await deno(stage.command);
    return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: [] };
  }
  const folders = await withTests(stage.folders ?? []);
  if (folders.length === 0) return { passed: 0, failed: 0, skipped: [] };
  const junit = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const flags = ["--quiet", "--no-prompt", ...(stage.flags ?? []), `--junit-path=${junit}`];
    const passed = await deno(["test", ...flags, ...folders]);
    const counts = readJunit(await Deno.readTextFile(junit).catch(() => ""));
    const unnamed = (!passed && counts.failed === 0) || (counts.passed + counts.failed === 0);
    return unnamed ? { ...counts, failed: counts.failed + 1 } : counts;
  } finally {
    await Deno.remove(junit);
  }
}

/** Runs this deno with the output shown; tells whether it ended with status 0 in time. */
async function deno(args: readonly string[]): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdin: "null",
    env: { DENO_NO_UPDATE_CHECK: "1" },
  }).spawn();
  const timer = setTimeout(() => {
    console.error(`The stage is ended: it took longer than ${STAGE_TIMEOUT_MS / 1000} s`);
    child.kill("SIGKILL");
  }, STAGE_TIMEOUT_MS);
  const status = await child.status;
  clearTimeout(timer);
  return status.success;
}

async function withTests(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) if (await holdsTests(`${ROOT}${folder}`)) found.push(folder);
  return found;
}

async function holdsTests(folder: string): Promise<boolean> {
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isFile && entry.name.endsWith("_test.ts")) return true;
      if (entry.isDirectory && await holdsTests(`${folder}/${entry.name}`)) return true;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return false;
}

function report(results: readonly { stage: Stage; counts: Counts; seconds: number }[]): number {
  const total = results.map((result) => result.counts).reduce(addCounts);
  console.log("\n=== result");
  for (const { stage, counts, seconds } of results) {
    const line = [stage.name.padEnd(10), `${seconds.toFixed(1)} s`.padStart(8), summary(counts)];
    console.log(line.join("  "));
  }
  if (total.skipped.length > 0) {
    console.log(`\n!!! ${total.skipped.length} tests were SKIPPED, so they prove nothing here:`);
    for (const name of total.skipped) console.log(`    ${name}`);
  }
  console.log(`\n${summary(total)}`);
  return total.failed === 0 ? 0 : 1;
}
