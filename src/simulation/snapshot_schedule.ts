/**
 * When the engine of a run is asked for its state.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";

/** The engine is asked so many times in a run, but not more often than every ten seconds. */
const SNAPSHOTS_WANTED = 4000, INTERVAL_MIN: Seconds = 10;
const FIRST_HOUR: Seconds = 3600;

/** Spreads the snapshots of one run over its duration; all times are seconds since its start. */
export class SnapshotSchedule {
  readonly #interval: Seconds;
  #next: Seconds = 0;

  /** Starts with a snapshot at once. */
  constructor(duration: Seconds) {
    this.#interval = Math.max(INTERVAL_MIN, Math.round(duration / SNAPSHOTS_WANTED));
  }

  /** Tells whether a regular snapshot is due, and plans the one after it. */
  takeDue(time: Seconds): boolean {
    if (time < this.#next) return false;
    this.#next = time + this.#interval;
    return true;
  }

  /**
   * Tells whether a command to the clock is worth a snapshot: in the first hour always, later not
   * with each one.
   */
  isDueAfterCommand(time: Seconds): boolean {
    return time < FIRST_HOUR || time > this.#next - this.#interval / 2;
  }
}
