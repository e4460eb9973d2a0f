/**
 * The daemon in the process of the test, with its configuration as text: for what is told it while
 * it runs.
 *
 * Limits: it leaves the clock alone and filters no system calls; what it would write to standard
 * error is kept as `lines`, so one runs at a time.
 *
 * @module
 */
import { type AnyCall, libc, replaceCalls } from "../../ffi/libc.ts";
import { ok } from "../../src/base/result.ts";
import type { SymmetricKey } from "../../src/config/key_file.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { runDaemon } from "../../src/daemon/run_daemon.ts";
import type { ReadConfig } from "../../src/daemon/daemon_options.ts";

/** The symmetric keys of a configuration, by number. */
export type Keys = ReadonlyMap<number, SymmetricKey>;

/** A daemon that runs. */
export class DaemonInProcess implements AsyncDisposable {
  readonly #running: Promise<unknown>;
  readonly #restore: () => void;
  readonly #lines: string[] = [];
  #read: ReadConfig;
  #signal: ((signal: Deno.Signal) => void) | undefined;

  /** Starts a daemon that serves its own clock at stratum 7 to whom the configuration says. */
  constructor(text: string, keys: Keys = new Map()) {
    this.#read = read(text, keys);
    const { write, send } = libc();
    const keepLines = (real: AnyCall) => (...args: unknown[]) =>
      isLogged(args) ? this.#keep(args) : real(...args);
    this.#restore = replaceCalls({
      here: { write: keepLines(write as AnyCall), send: keepLines(send as AnyCall) },
      background: (name, real) => name === "write" ? keepLines(real) : real,
    });
    this.#running = runDaemon({
      ...this.#read,
      configOrigin: "a test",
      configFiles: [],
      privileges: [],
      version: "0",
      noAdjust: true,
      once: false,
      logLevel: undefined,
      reload: () => ok(this.#read),
      takeSignals: (handle) => void (this.#signal = handle),
    });
  }

  /** Whether signals are taken, so that it can be told to reload. */
  get isReady(): boolean {
    return this.#signal !== undefined;
  }

  /** What it has logged. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Gives it another configuration, as SIGHUP does. */
  reload(text: string, keys: Keys = new Map()): void {
    this.#read = read(text, keys);
    this.#signal?.("SIGHUP");
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.("SIGTERM");
    await this.#running;
    this.#restore();
  }

  #keep([, bytes]: unknown[]): number {
    const octets = bytes as Uint8Array;
    this.#lines.push(...new TextDecoder().decode(octets).trimEnd().split("\n"));
    return octets.length;
  }
}

/** Tells a line of the log from all else that is written. */
function isLogged([, bytes]: unknown[]): boolean {
  return /^(<\d>|\d{4}-\d\d-)/.test(new TextDecoder().decode(bytes as Uint8Array));
}

function read(text: string, keys: Keys): ReadConfig {
  const parsed = parseConfig(
    `${text}\n[security]\nseccomp = false\n[synchronization]\nlocal-stratum = 7\n`,
  );
  if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join("; "));
  return { config: parsed.value.config, keys, notes: [] };
}
