/**
 * Keeps the statistics of a running daemon: written where the configuration says, with their state
 * in `FunctionStates`.
 *
 * @module
 */
import type { EngineSnapshot } from "../../engine/status/snapshot.ts";
import { realtimeNow } from "../../../ffi/clock/clock.ts";
import type { FunctionStates } from "./function_states.ts";
import { StatisticsWriter } from "./statistics.ts";

/** The statistics of a daemon, if it writes any. */
export class StatisticsStore {
  readonly #functions: FunctionStates;
  #path: string | undefined;
  #writer: StatisticsWriter | undefined;

  /** Touches no file yet. */
  constructor(path: string | undefined, functions: FunctionStates) {
    this.#functions = functions;
    this.#use(path);
  }

  /** Writes to the directory of a changed configuration from now on. */
  follow(path: string | undefined): void {
    if (path === this.#path) return;
    this.#use(path);
    this.#functions.keepOnly("statistics", []);
    this.prepare();
  }

  /** Makes sure that there is a directory to write to; to be called about once a minute. */
  prepare(): void {
    this.#writer?.prepare(realtimeNow());
    this.#tell();
  }

  /** Writes what is new in a snapshot, which is made only when statistics are written. */
  observe(snapshot: () => EngineSnapshot): void {
    this.#writer?.observe(snapshot(), realtimeNow());
    this.#tell();
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await this.#writer?.settled();
  }

  #use(path: string | undefined): void {
    this.#path = path;
    this.#writer = path === undefined ? undefined : new StatisticsWriter(path);
  }

  #tell(): void {
    if (this.#writer === undefined) return;
    const { directory, problem } = this.#writer;
    const id = { kind: "statistics", name: directory } as const;
    if (problem === undefined) this.#functions.up(id);
    else this.#functions.down(id, problem);
  }
}
