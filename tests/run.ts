/**
 * Runs everything that CI tests, stage by stage, and sums up.
 *
 * The problem: the stages need different permissions (the core none at all, the system side net and
 * ffi, whole-program tests the right to run other programs), and one closing line must tell the
 * truth about all of them. The idea: one `deno test` for each stage, its JUnit report for the
 * counts and its exit status as the last word. The stages that compute and those that wait for
 * programs run side by side; the output of the latter is shown when they are through. What the
 * tests fetch or build once is made before, and counts as no test and no test's time. Limits: a
 * stage that ends badly without naming a failed test counts as one failure; one that takes too long
 * is interrupted, and what had not ended counts as failed.
 *
 *     deno task test              every stage
 *     deno task test pure tidy    the named stages
 *
 * @module
 */
import { fromFileUrl } from "./support/command.ts";
import { addCounts, type Counts, readJunit, summary } from "./support/junit.ts";
import { PURE_FOLDERS } from "./tidy/lint_plugin.ts";

/**
 * A part of the tests with its own permissions; `folders` hold test files, `command` is a deno
 * command that must succeed.
 */
interface Stage {
  readonly name: string;
  readonly purpose: string;
  readonly command?: readonly string[];
  readonly folders?: readonly string[];
  readonly flags?: readonly string[];
  /** How many test files run side by side; as many as there are processors unless given. */
  readonly jobs?: number;
  /** Whether it mostly waits, so that it runs beside the stages that do not. */
  readonly waits?: boolean;
}

/** How a stage went. */
interface Outcome {
  readonly stage: Stage;
  readonly counts: Counts;
  readonly seconds: number;
}

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const STAGE_TIMEOUT_MS = 13 * 60_000;
/** Building peers from source takes minutes, once, for whoever asks for it. */
const PREPARATION_TIMEOUT_MS = 20 * 60_000;
/** Interrupted tests write their report; after this time they are killed. */
const INTERRUPT_PATIENCE_MS = 15_000;
/** Test files that wait for programs need little of a processor each. */
const WAITING_JOBS = 6;
/** Virtual machines that run side by side; each takes a processor while something starts in it. */
const MACHINES = 2;

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
    purpose: "ffi, system, daemon and commands, with net and ffi alone",
    folders: ["ffi", "src/system", "src/daemon", "src/cli"],
    flags: ["--allow-net", "--allow-ffi", "--parallel"],
  },
  {
    name: "tidy",
    purpose: "the shape of the project",
    folders: ["tests/tidy"],
    flags: ["-P=tests"],
  },
  {
    name: "spanning",
    purpose: "vectors, simulation, random worlds, benchmarks' own parts, fuzzing",
    folders: [
      "tests/vectors",
      "tests/simulation",
      "tests/worlds",
      "tests/bench",
      "tests/fuzz",
      "tests/support",
    ],
    flags: ["-P=tests", "--parallel"],
  },
  {
    name: "attacks",
    purpose: "published weaknesses of time daemons",
    folders: ["tests/attacks"],
    flags: ["-P=tests", "--parallel"],
  },
  {
    name: "faults",
    purpose: "a system that refuses, fills up, goes away or is killed",
    folders: ["tests/faults"],
    flags: ["-P=tests", "--parallel"],
    jobs: WAITING_JOBS,
    waits: true,
  },
  {
    name: "interop",
    purpose: "real peers: chronyd and ntpd",
    folders: ["tests/interop"],
    flags: ["-P=tests", "--parallel"],
    jobs: WAITING_JOBS,
    waits: true,
  },
  {
    name: "system",
    purpose: "the program from source, as bundle and as dist/ntpsd",
    folders: ["tests/system"],
    flags: ["-P=tests", "--parallel"],
    jobs: WAITING_JOBS,
    waits: true,
  },
  {
    name: "machine",
    purpose: "a real kernel's clock and a real init, in a virtual machine",
    folders: ["tests/machine"],
    // What takes long is for `deno task test:machine`.
    flags: ["-P=tests", "--parallel", "--ignore=tests/machine/long"],
    jobs: MACHINES,
    waits: true,
  },
  {
    name: "aarch64",
    purpose: "the other processor, emulated by QEMU",
    folders: ["tests/aarch64"],
    flags: ["-P=tests"],
    waits: true,
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
  const named = STAGES.filter((stage) => names.length === 0 || names.includes(stage.name));
  const chosen = named.some(({ name }) => name === "types") ? named.map(unchecked) : named;
  if (chosen.some(({ waits }) => waits)) await preparePeers();
  const outcomes = await Promise.all([
    runStages(chosen.filter(({ waits }) => waits !== true), "at once"),
    runStages(
      chosen.filter(({ waits }) => waits === true),
      chosen.length > 1 ? "later" : "at once",
    ),
  ]);
  return report(outcomes.flat());
}

/** The same stage, for where types are checked by a stage of their own. */
function unchecked(stage: Stage): Stage {
  if (stage.folders === undefined) return stage;
  return { ...stage, flags: [...stage.flags ?? [], "--no-check"] };
}

/** Makes ready what tests fetch or build once. Where that fails the tests say so themselves. */
async function preparePeers(): Promise<void> {
  await deno(["run", "--quiet", "--no-prompt", "-P=tests", "tests/support/prepare_peers.ts"], {
    timeoutMs: PREPARATION_TIMEOUT_MS,
  });
}

/** Runs stages one after the other; their output is shown at once, or later as a whole. */
async function runStages(
  stages: readonly Stage[],
  shown: "at once" | "later",
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const stage of stages) {
    const title = `\n=== ${stage.name}: ${stage.purpose}`;
    if (shown === "at once") console.log(title);
    const output = shown === "later" ? await Deno.makeTempFile({ suffix: ".log" }) : undefined;
    const start = performance.now();
    const counts = await runStage(stage, output);
    outcomes.push({ stage, counts, seconds: (performance.now() - start) / 1000 });
    if (output === undefined) continue;
    console.log(`${title}\n${await Deno.readTextFile(output)}`);
    await Deno.remove(output);
  }
  return outcomes;
}

async function runStage(stage: Stage, output: string | undefined): Promise<Counts> {
  const options = { output, jobs: stage.jobs, timeoutMs: STAGE_TIMEOUT_MS };
  if (stage.command !== undefined) {
    const passed = await deno(stage.command, options);
    return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: [] };
  }
  const folders = await withTests(stage.folders ?? []);
  if (folders.length === 0) return { passed: 0, failed: 0, skipped: [] };
  const junit = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const flags = ["--quiet", "--no-prompt", ...(stage.flags ?? []), `--junit-path=${junit}`];
    const passed = await deno(["test", ...flags, ...folders], options);
    const counts = readJunit(await Deno.readTextFile(junit).catch(() => ""));
    const unnamed = (!passed && counts.failed === 0) || (counts.passed + counts.failed === 0);
    return unnamed ? { ...counts, failed: counts.failed + 1 } : counts;
  } finally {
    await Deno.remove(junit);
  }
}

/**
 * Runs this deno, its output into a file or shown; tells whether it ended with status 0 in time.
 */
async function deno(
  args: readonly string[],
  options: {
    readonly timeoutMs: number;
    readonly output?: string | undefined;
    readonly jobs?: number | undefined;
  },
): Promise<boolean> {
  const { output, jobs, timeoutMs } = options;
  const words = [Deno.execPath(), ...args];
  const [program = "", ...rest] = output === undefined
    ? words
    : ["sh", "-c", 'output=$1; shift; exec "$@" >"$output" 2>&1', "sh", output, ...words];
  const child = new Deno.Command(program, {
    args: rest,
    cwd: ROOT,
    stdin: "null",
    env: {
      DENO_NO_UPDATE_CHECK: "1",
      ...(jobs === undefined ? {} : { DENO_JOBS: String(jobs) }),
    },
  }).spawn();
  const kill = () => {
    console.error(`${args[0]} is interrupted: it took longer than ${timeoutMs / 1000} s`);
    child.kill("SIGINT");
    timer = setTimeout(() => child.kill("SIGKILL"), INTERRUPT_PATIENCE_MS);
  };
  let timer = setTimeout(kill, timeoutMs);
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

function report(results: readonly Outcome[]): number {
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
