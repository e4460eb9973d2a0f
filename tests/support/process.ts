/**
 * Programs that go on running while a test looks at them: started, watched, ended by their own
 * process id.
 *
 * The idea: a handle that collects all output and is disposed of with `await using`, so that no
 * test leaves a program behind, however it ends. Limits: output is kept whole in memory; meant for
 * programs that say little.
 *
 * @module
 */
import { PATIENCE_MS, waitUntil } from "./wait_until.ts";

/** How a program is started. */
export interface SpawnOptions {
  /** Its arguments. */
  readonly args: readonly string[];
  /** The folder it runs in. */
  readonly cwd?: string;
  /** Environment variables beside the inherited ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether `env` is the whole environment. */
  readonly clearEnv?: boolean;
  /** A network namespace to run in. */
  readonly namespace?: string;
  /** Whether it loses the capability to set the clock first; for every daemon that is not ours. */
  readonly withoutClock?: boolean;
}

/** How a program ended, and how long that took from the signal. */
export interface Ended {
  /** The exit status; 128 + N after signal N. */
  readonly code: number;
  /** The signal that ended it, if one did. */
  readonly signal: Deno.Signal | null;
  /** Milliseconds from the signal to the end. */
  readonly milliseconds: number;
}

/** A running program. */
export class RunningProgram implements AsyncDisposable {
  /** How the program ended, once it has. */
  readonly status: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #readers: Promise<void>[];
  #stdout = "";
  #stderr = "";
  #over = false;

  /** Starts the program; throws if it cannot be started. */
  constructor(program: string, options: SpawnOptions) {
    // `ip netns exec` and `setpriv` replace themselves by the program, so the process id stays that
    // of the program.
    const inside = options.namespace === undefined
      ? []
      : ["ip", "netns", "exec", options.namespace];
    const bare = options.withoutClock === true ? withoutClock() : [];
    const [first = program, ...rest] = [...inside, ...bare, program];
    this.#child = new Deno.Command(first, {
      args: [...rest, ...options.args],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { NO_COLOR: "1", ...options.env },
      clearEnv: options.clearEnv ?? false,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#readers = [
      collect(this.#child.stdout, (text) => this.#stdout += text),
      collect(this.#child.stderr, (text) => this.#stderr += text),
    ];
    this.status = this.#child.status.then((status) => {
      this.#over = true;
      return status;
    });
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Where in the kernel each of its threads waits, a line each, for the message of a test that
   * waited in vain.
   */
  threads(): string {
    const folder = `/proc/${this.pid}/task`;
    try {
      return [...Deno.readDirSync(folder)].map(({ name }) => {
        const read = (file: string) => Deno.readTextFileSync(`${folder}/${name}/${file}`).trim();
        return `${name} ${read("comm")}: ${read("wchan")}, ${read("syscall")}`;
      }).join("\n");
    } catch (error) {
      return `no threads: ${error}`;
    }
  }

  /** What it wrote to standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it wrote to standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Waits until standard output or error matches; throws with the output when it ends first or time
   * runs out.
   */
  async waitFor(pattern: RegExp, timeoutMs = PATIENCE_MS): Promise<void> {
    const seen = () => pattern.test(this.#stderr) || pattern.test(this.#stdout);
    await waitUntil(() => seen() || this.#over, {
      timeoutMs,
      what: () => `${pattern} in:\n${this.#stderr}`,
    });
    if (!seen()) throw new Error(`The program ended before it said ${pattern}:\n${this.#stderr}`);
  }

  /** Sends a signal and does not wait. */
  signal(name: Deno.Signal): void {
    if (!this.#over) this.#child.kill(name);
  }

  /**
   * Ends the program by SIGTERM, or another signal, and by SIGKILL after `timeoutMs`; tells how it
   * ended.
   */
  async stop(name: Deno.Signal = "SIGTERM", timeoutMs = PATIENCE_MS): Promise<Ended> {
    const start = performance.now();
    this.signal(name);
    const timer = setTimeout(() => this.signal("SIGKILL"), timeoutMs);
    const status = await this.status;
    const milliseconds = performance.now() - start;
    clearTimeout(timer);
    await Promise.all(this.#readers);
    return { code: status.code, signal: status.signal, milliseconds };
  }

  /** Ends the program if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGTERM", 3000);
  }
}

/**
 * How a command line begins whose program must not be able to set the clock, whatever it tries:
 * without the capability even root gets EPERM. Empty for other users, who do not have it.
 */
export function withoutClock(): readonly string[] {
  if (Deno.uid() !== 0) return [];
  return [
    "setpriv",
    "--bounding-set=-sys_time",
    "--inh-caps=-sys_time",
    "--ambient-caps=-sys_time",
  ];
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}
