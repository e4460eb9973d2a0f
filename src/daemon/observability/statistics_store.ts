/**
 * Keeps the statistics of a running daemon: written where the configuration says, with their state
 * in `FunctionStates`.
 *
 * Limits: what a write came to is told at the next call, since writing is done in the background.
 *
 * @module
 */
import type { UnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { EngineSnapshot } from "../../engine/status/snapshot.ts";
import type { FunctionStates } from "./function_states.ts";
import { type StatisticsFiles, StatisticsWriter } from "./statistics.ts";

/** What statistics are kept with. */
export interface StatisticsParts {
  /** Knows whether they can be written. */
  readonly functions: Pick<FunctionStates, "up" | "down" | "keepOnly">;
  /** Reads the real-time clock. */
  readonly now: () => UnixNanoseconds;
  /** What is done with files; the system's own functions when left out. */
  readonly files?: StatisticsFiles;
}

/** The statistics of a daemon, if it writes any. */
export class StatisticsStore {
  readonly #parts: StatisticsParts;
  #path: string | undefined;
  #writer: StatisticsWriter | undefined;

  /** Touches no file yet; without a path nothing is ever written. */
  constructor(path: string | undefined, parts: StatisticsParts) {
    this.#parts = parts;
    this.#use(path);
  }

  /** Writes to the directory of a changed configuration from now on. */
  follow(path: string | undefined): void {
    if (path === this.#path) return;
    this.#use(path);
    this.#parts.functions.keepOnly("statistics", []);
    this.prepare();
  }

  /** Makes sure that there is a directory to write to; to be called about once a minute. */
  prepare(): void {
    this.#writer?.prepare(this.#parts.now());
    this.#tell();
  }

  /** Writes what is new in a snapshot, which is made only when statistics are written. */
  observe(snapshot: () => EngineSnapshot): void {
    this.#writer?.observe(snapshot(), this.#parts.now());
    this.#tell();
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await this.#writer?.settled();
  }

  #use(path: string | undefined): void {
    this.#path = path;
    this.#writer = path === undefined ? undefined : new StatisticsWriter(path, this.#parts.files);
  }

  #tell(): void {
    if (this.#writer === undefined) return;
    const { directory, error } = this.#writer;
    const id = { kind: "statistics", name: directory } as const;
    const { functions } = this.#parts;
    if (error === undefined) functions.up(id);
    else functions.down(id, error);
  }
}
