/**
 * Running other programs from tests, so that a failure tells what was run and what it said.
 *
 * Limits: output is collected as text; a program that must go on running is started with `spawn` of
 * `process.ts`.
 *
 * @module
 */

/** How a program is run. */
export interface CommandOptions {
  /** Its arguments. */
  readonly args?: readonly string[];
  /** The folder it runs in. */
  readonly cwd?: string;
  /** Environment variables set beside the inherited ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether `env` is the whole environment. */
  readonly clearEnv?: boolean;
  /** Text for its standard input; without it the input is empty. */
  readonly stdin?: string;
  /** Milliseconds after which it is ended; 120,000 unless given. */
  readonly timeoutMs?: number;
}

/** What a program left behind. */
export interface CommandResult {
  /** The exit status; 128 + N after signal N. */
  readonly code: number;
  /** What it wrote to standard output. */
  readonly stdout: string;
  /** What it wrote to standard error. */
  readonly stderr: string;
}

/** Runs a program to its end and hands back its status and output, whatever the status is. */
export async function runAny(
  program: string,
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = await spawnWhenClosed(
    new Deno.Command(program, {
      args: [...(options.args ?? [])],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { NO_COLOR: "1", ...options.env },
      clearEnv: options.clearEnv ?? false,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }),
  );
  const timer = setTimeout(() => killIfRunning(child), options.timeoutMs ?? 120_000);
  try {
    const [output] = await Promise.all([child.output(), feed(child, options.stdin)]);
    const text = new TextDecoder();
    return {
      code: output.code,
      stdout: text.decode(output.stdout),
      stderr: text.decode(output.stderr),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** One that has just ended by itself needs no signal, and refuses it. */
function killIfRunning(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

/**
 * Starts a program that a test may just have written: another test that starts one at the same
 * moment holds it open for writing until its own exec, and so long the system calls it busy.
 */
async function spawnWhenClosed(command: Deno.Command): Promise<Deno.ChildProcess> {
  for (let attempt = 0;; attempt++) {
    try {
      return command.spawn();
    } catch (error) {
      if (attempt === 100 || !String(error).includes("Text file busy")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Runs a program to its end; throws with its output unless it ended with status 0. */
export async function run(program: string, options: CommandOptions = {}): Promise<CommandResult> {
  const result = await runAny(program, options);
  if (result.code === 0) return result;
  const said = `${result.stdout}\n${result.stderr}`.trim().slice(-4000);
  throw new Error(
    `${program} ${(options.args ?? []).join(" ")} ended with ${result.code}: ${said}`,
  );
}

/** Tells whether a program of that name is on the search path. */
export async function haveProgram(name: string): Promise<boolean> {
  const args = ["-c", 'command -v -- "$1"', "sh", name];
  return (await runAny("sh", { args })).code === 0;
}

/** Turns a `file:` URL into a path. */
export function fromFileUrl(url: URL): string {
  return decodeURIComponent(url.pathname);
}

async function feed(child: Deno.ChildProcess, text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  await writer.close().catch(() => {});
}
