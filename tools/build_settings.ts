/**
 * What every build of ntpsd has in common: permissions, places, targets.
 *
 * @module
 */

/** The runtime flags that every build carries: net and ffi, and never a question to the user. */
const RUNTIME_PERMISSIONS: readonly string[] = ["--no-prompt", "--allow-net", "--allow-ffi"];

/**
 * Flags for the JavaScript engine that every build carries: a young generation of 1 MB. A daemon
 * that allots little gains nothing by more; the engine's default of 16 MB is filled up once and
 * then stays, as memory that is used for nothing.
 */
export const ENGINE_FLAGS = "--v8-flags=--max-semi-space-size=1";

/** All runtime flags that every build carries. */
export const RUNTIME_FLAGS: readonly string[] = [...RUNTIME_PERMISSIONS, ENGINE_FLAGS];

/** A machine that ntpsd is built for. */
export interface Target {
  /** The processor, as Deno.build.arch says it. */
  readonly arch: "x86_64" | "aarch64";
  /** What `deno compile --target` wants. */
  readonly triple: string;
  /** The npm package that carries deno itself for it. */
  readonly runtimePackage: string;
}

/** All targets. */
export const TARGETS: readonly Target[] = [
  {
    arch: "x86_64",
    triple: "x86_64-unknown-linux-gnu",
    runtimePackage: "@deno/linux-x64-glibc",
  },
  {
    arch: "aarch64",
    triple: "aarch64-unknown-linux-gnu",
    runtimePackage: "@deno/linux-arm64-glibc",
  },
];

/** The root folder of the repository, with a slash at the end. */
export const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** The program that is built. */
export const ENTRY = `${ROOT}main.ts`;

/** Where builds go. */
export const DIST = `${ROOT}dist`;

/** Ends the build with a sentence on standard error. */
export function giveUp(sentence: string): never {
  console.error(sentence);
  Deno.exit(1);
}

/** Runs a program with its output shown or collected; hands back its status and what it said. */
export async function execute(
  program: string,
  args: readonly string[],
): Promise<{ readonly ok: boolean; readonly said: string; readonly stdout: string }> {
  const command = new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  });
  const output = await command.output();
  const text = new TextDecoder();
  const stdout = text.decode(output.stdout);
  return { ok: output.success, said: `${stdout}${text.decode(output.stderr)}`.trim(), stdout };
}
