/**
 * Builds dist/ntpsd, one executable file; with --all for every target, as dist/ntpsd-ARCH.
 *
 * The problem: `deno compile` needs the runtime base denort, which it downloads from a place that many builders cannot
 * reach. The idea: where that fails, and DENORT_BIN names none, the same file name gets a self-extracting executable made
 * of deno itself and the bundle. Limits: Linux with glibc; the self-extracting kind takes the deno of another processor
 * from its npm package.
 *
 *     deno task compile | compile:all        (--self-extracting: that kind without trying the other)
 *
 * @module
 */
import {
  DIST,
  ENTRY,
  execute,
  giveUp,
  RUNTIME_PERMISSIONS,
  type Target,
  TARGETS,
} from "./build_settings.ts";
import { makeBundle } from "./bundle.ts";
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
    const why = args.includes("--self-extracting") ? "it was asked for" : await compile(job);
    if (why === undefined) await tell(job, "made by deno compile");
    else await extractingInstead(job, { why, here });
  }
}

/** Makes the executable by `deno compile`; hands back why not, if it could not be made. */
async function compile(job: Job): Promise<string | undefined> {
  // deno compile does not overwrite what is not of its making, so it writes beside.
  const temporary = `${DIST}/ntpsd-${Deno.pid}.tmp`;
  const made = await execute(Deno.execPath(), [
    "compile",
    ...RUNTIME_PERMISSIONS,
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
  { why, here }: { why: string; here: Target },
): Promise<void> {
  const work = await Deno.makeTempDir();
  try {
    const bundle = `${work}/ntpsd.js`;
    await makeBundle(bundle);
    const runtime = job.target === here ? Deno.execPath() : await fetchRuntime(job.target, work);
    await makeSelfExtracting({ runtime, bundle, output: job.output });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  await tell(
    job,
    `a self-extracting executable of deno ${Deno.version.deno} and the bundle, because ${why}`,
  );
}

/** Takes deno for another processor from its npm package, at the version that runs here. */
async function fetchRuntime(target: Target, folder: string): Promise<string> {
  const name = `${target.runtimePackage}@${Deno.version.deno}`;
  const packed = await execute("npm", ["pack", "--silent", "--pack-destination", folder, name]);
  if (!packed.ok) giveUp(`npm pack ${name} failed: ${packed.said}`);
  const file = packed.stdout.trim().split("\n").at(-1) ?? "";
  const opened = await execute("tar", ["-xzf", `${folder}/${file}`, "-C", folder, "package/deno"]);
  if (!opened.ok) giveUp(`The package ${name} was to hold a file deno: ${opened.said}`);
  return `${folder}/package/deno`;
}

async function tell(job: Job, kind: string): Promise<void> {
  const { size } = await Deno.stat(job.output);
  const name = job.output.slice(DIST.length - "dist".length);
  console.log(`${name} (${job.target.arch}, ${Math.ceil(size / 1e6)} MB) is ${kind}`);
}
