/**
 * Builds dist/ntpsd, one executable file; with --all for every target, as dist/ntpsd-ARCH.
 *
 * The problem: `deno compile` needs the runtime base denort, which it downloads from a place that
 * many builders cannot reach. The idea: where that fails, and DENORT_BIN names none, the same file
 * name gets a self-extracting executable made of deno itself and the bundle. Limits: Linux with
 * glibc; the self-extracting kind takes the deno of another processor from its npm package.
 *
 *     deno task compile | compile:all   (--self-extracting: that kind without trying the other)
 *
 * @module
 */
import {
  DIST,
  ENTRY,
  execute,
  giveUp,
  RUNTIME_FLAGS,
  type Target,
  TARGETS,
} from "./build_settings.ts";
import { makeSplitProgram } from "./bundle.ts";
import { fetchRuntime, type Runtime } from "./runtime.ts";
import { makeSelfExtracting } from "./self_extracting.ts";

/** What to build, and where to. */
interface Job {
  readonly target: Target;
  readonly output: string;
}

await main(Deno.args);

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter((arg) => arg !== "--all" && arg !== "--self-extracting");
  if (unknown.length > 0) {
    giveUp(`--all or --self-extracting was wanted, found ${unknown.join(" ")}`);
  }
  const here = TARGETS.find((target) => target.arch === Deno.build.arch);
  if (here === undefined || Deno.build.os !== "linux") giveUp("ntpsd is built on Linux");
  const jobs: readonly Job[] = args.includes("--all")
    ? TARGETS.map((target) => ({ target, output: `${DIST}/ntpsd-${target.arch}` }))
    : [{ target: here, output: `${DIST}/ntpsd` }];
  for (const job of jobs) {
    const reason = args.includes("--self-extracting") ? "it was asked for" : await compile(job);
    if (reason === undefined) await tell(job, "made by deno compile");
    else await extractingInstead(job, { reason, here });
  }
}

/** Makes the executable by `deno compile`; returns the reason if it could not be made. */
async function compile(job: Job): Promise<string | undefined> {
  // deno compile does not overwrite what is not of its making, so it writes beside.
  const temporary = `${DIST}/ntpsd-${Deno.pid}.tmp`;
  const made = await execute(Deno.execPath(), [
    "compile",
    ...RUNTIME_FLAGS,
    `--target=${job.target.triple}`,
    `--output=${temporary}`,
    ENTRY,
  ]);
  if (made.ok) {
    await Deno.rename(temporary, job.output);
    return undefined;
  }
  if (!/denort|base binary/i.test(made.said)) giveUp(`deno compile failed: ${made.said}`);
  const named = Deno.env.get("DENORT_BIN");
  return named === undefined
    ? "the runtime base denort cannot be downloaded here and DENORT_BIN is not set"
    : `the runtime base that DENORT_BIN names, ${named}, cannot be used`;
}

async function extractingInstead(
  job: Job,
  { reason, here }: { reason: string; here: Target },
): Promise<void> {
  const work = await Deno.makeTempDir();
  let runtime: Runtime = { path: Deno.execPath(), version: Deno.version.deno };
  try {
    const program = `${work}/program`;
    await makeSplitProgram(program);
    if (job.target !== here) {
      const fetched = await fetchRuntime(job.target, work);
      if (!fetched.ok) giveUp(fetched.error);
      runtime = fetched.value;
    }
    await makeSelfExtracting({ runtime: runtime.path, program, output: job.output });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  const kind = `a self-extracting executable of deno ${runtime.version} and the bundle`;
  await tell(job, `${kind}, because ${reason}`);
}

async function tell(job: Job, kind: string): Promise<void> {
  const { size } = await Deno.stat(job.output);
  const name = job.output.slice(DIST.length - "dist".length);
  console.log(`${name} (${job.target.arch}, ${Math.ceil(size / 1e6)} MB) is ${kind}`);
}
