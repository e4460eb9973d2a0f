/**
 * A machine with the processor aarch64, emulated: Debian's QEMU, its libraries for arm64, deno and
 * a C compiler for it.
 *
 * The problem: ntpsd is built for aarch64, and those who build it have x86_64. The idea: QEMU
 * translates one program and hands its system calls to the kernel of this machine. All of it is
 * unpacked into the scratch folder, nothing is installed. Limits: Debian on x86_64, with user
 * namespaces that have binary formats of their own (Linux 6.7). QEMU 7.2 knows neither seccomp,
 * nor SO_TIMESTAMPING, nor SO_RXQ_OVFL: the filter of system calls, the kernel's timestamps and
 * the number of dropped requests are not seen here.
 *
 * @module
 */
import { fetchRuntime } from "../../tools/runtime.ts";
import { TARGETS } from "../../tools/build_settings.ts";
import { fromFileUrl, run } from "./command.ts";
import { SCRATCH } from "./debian_packages.ts";
import { withLock } from "./lock.ts";
import type { Launch } from "./ntpsd.ts";

/** The machine. */
export interface EmulatedMachine {
  /** Its deno. */
  readonly deno: string;
  /** Whether there is a C compiler for it, called gcc. */
  readonly hasCompiler: boolean;
  /** Tells how deno is run by itself, by the user of the tests. */
  emulate(args: readonly string[]): Launch;
  /** Tells how a command is run where everything that it starts is emulated if need be. */
  enter(command: readonly string[]): Launch;
}

/** The machine, or why there is none. */
export type FoundMachine =
  | { readonly machine: EmulatedMachine; readonly note: "" }
  | { readonly machine: undefined; readonly note: string };

const FOLDER = `${SCRATCH}/aarch64`;
const ENTER = fromFileUrl(new URL("../aarch64/enter.sh", import.meta.url));
const NAMES = [["libc6"], ["libgcc-s1"], ["libssl3", "libssl3t64"]] as const;

/**
 * Finds the machine, making it first if need be. Where it cannot be had, in CI too, a line on
 * standard error says so, and `note` ends the name of a test that is skipped.
 */
export async function findEmulatedMachine(): Promise<FoundMachine> {
  try {
    return { machine: await unpackedMachine(), note: "" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`!!! aarch64 cannot be emulated here, its tests are SKIPPED: ${reason}`);
    return {
      machine: undefined,
      note: ` [needs aarch64: ${reason.split("\n")[0]?.slice(0, 100)}]`,
    };
  }
}

async function unpackedMachine(): Promise<EmulatedMachine> {
  if (Deno.build.arch !== "x86_64") throw new Error(`this machine has ${Deno.build.arch}`);
  await Deno.mkdir(SCRATCH, { recursive: true });
  await withLock(`${FOLDER}.lock`, async () => {
    if (await Deno.stat(FOLDER).catch(() => undefined) === undefined) await make();
  });
  const deno = `${FOLDER}/bin/deno`;
  const { program, args } = enter(["deno", "--version"]);
  const { stdout } = await run(program, { args });
  if (!stdout.includes("aarch64")) throw new Error(`${deno} says ${stdout}`);
  const hasCompiler = await Deno.stat(`${FOLDER}/bin/gcc`).then(() => true, () => false);
  return { deno, hasCompiler, emulate, enter };
}

function emulate(args: readonly string[]): Launch {
  const environment = [`DENO_DIR=${FOLDER}/deno_dir`];
  const words = [...environment, `${FOLDER}/qemu`, "-L", `${FOLDER}/root`, `${FOLDER}/bin/deno`];
  return { program: "env", args: [...words, ...args] };
}

function enter(command: readonly string[]): Launch {
  return { program: ENTER, args: [FOLDER, ...command] };
}

/** Makes the folder, which appears at once and whole. */
async function make(): Promise<void> {
  const work = await Deno.makeTempDir({ dir: SCRATCH });
  try {
    await Deno.chmod(work, 0o755);
    await Deno.mkdir(`${work}/bin`);
    await fetchEmulator(work);
    await fetchLibraries(work);
    await fetchDeno(work);
    await fetchCompiler(work).catch(tellOfCompiler);
    await Deno.rename(work, FOLDER);
  } catch (error) {
    await Deno.remove(work, { recursive: true });
    throw error;
  }
}

/** Fetches QEMU for this processor out of a package that has it for thirty. */
async function fetchEmulator(work: string): Promise<void> {
  await unpack(["qemu-user-static"], `${work}/packed`);
  await Deno.rename(`${work}/packed/usr/bin/qemu-aarch64-static`, `${work}/qemu`);
  await Deno.remove(`${work}/packed`, { recursive: true });
}

/** Fetches the libraries by a list of packages of their own, beside that of this machine. */
async function fetchLibraries(work: string): Promise<void> {
  const lists = `${work}/apt`;
  for (const name of ["lists/partial", "archives/partial"]) {
    await Deno.mkdir(`${lists}/${name}`, { recursive: true });
  }
  const places = { "Dir::State": lists, "Dir::Cache": lists, "Dir::State::status": "/dev/null" };
  const arm = { ...places, "APT::Architecture": "arm64", "APT::Architectures::": "arm64" };
  const options = Object.entries(arm).map(([name, value]) => `-o${name}=${value}`);
  await run("apt-get", { args: [...options, "-qq", "update"] });
  for (const [first, second] of NAMES) {
    await unpack([first], `${work}/root`, options).catch((error) => {
      if (second === undefined) throw error;
      return unpack([second], `${work}/root`, options);
    });
  }
  await Deno.remove(lists, { recursive: true });
}

async function fetchDeno(work: string): Promise<void> {
  const target = TARGETS.find(({ arch }) => arch === "aarch64");
  if (target === undefined) throw new Error("ntpsd is not built for aarch64");
  const fetched = await fetchRuntime(target, work);
  if (!fetched.ok) throw new Error(fetched.error);
  await Deno.rename(fetched.value.path, `${work}/bin/deno`);
  await Deno.remove(`${work}/package`, { recursive: true });
}

/** Fetches a compiler that runs here, of the same version as this machine's. */
async function fetchCompiler(work: string): Promise<void> {
  const { stdout } = await run("gcc", { args: ["-dumpversion"] });
  const major = stdout.trim().split(".")[0];
  const packages = [
    ...["gcc", "cpp"].map((name) => `${name}-${major}-aarch64-linux-gnu`),
    `libgcc-${major}-dev-arm64-cross`,
    "binutils-aarch64-linux-gnu",
    "libc6-arm64-cross",
    "libc6-dev-arm64-cross",
    "linux-libc-dev-arm64-cross",
  ];
  await unpack(packages, `${work}/compiler`);
  const lines = [
    "#!/bin/sh",
    'compiler="$(dirname "$0")/../compiler/usr"',
    'LD_LIBRARY_PATH="$compiler/lib/x86_64-linux-gnu" \\',
    `  exec "$compiler/bin/aarch64-linux-gnu-gcc-${major}" -static "$@"`,
    "",
  ];
  await Deno.writeTextFile(`${work}/bin/gcc`, lines.join("\n"), { mode: 0o755 });
}

function tellOfCompiler(error: unknown): void {
  console.error(`!!! no C compiler for aarch64: ${error instanceof Error ? error.message : error}`);
}

async function unpack(
  packages: readonly string[],
  folder: string,
  options: readonly string[] = [],
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await run("apt-get", { args: [...options, "-qq", "download", ...packages], cwd: folder });
  for (const { name } of [...Deno.readDirSync(folder)]) {
    if (!name.endsWith(".deb")) continue;
    await run("dpkg", { args: ["-x", `${folder}/${name}`, folder] });
    await Deno.remove(`${folder}/${name}`);
  }
}
