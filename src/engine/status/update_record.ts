/**
 * How far the clock was off when it was corrected: what other programs call last and RMS offset, or
 * system jitter.
 *
 * @module
 */
import type { Seconds } from "../../base/units.ts";

/** How far the clock was off. */
export interface UpdateRecord {
  /** With the last update, positive when the clock was behind; 0 before the first. */
  readonly last: Seconds;
  /** The root of the mean square over about `UPDATES` updates. */
  readonly rms: Seconds;
}

/** The mean reaches back so far. */
const UPDATES = 10;

/** Keeps the record of one clock. */
export class UpdateRecorder {
  #last: Seconds = 0;
  #meanSquare = 0;
  #count = 0;

  /** Takes the offset that was found with an update. */
  note(offset: Seconds): void {
    this.#last = offset;
    this.#count = Math.min(UPDATES, this.#count + 1);
    this.#meanSquare += (offset * offset - this.#meanSquare) / this.#count;
  }

  /** What was noted so far. */
  get record(): UpdateRecord {
    return { last: this.#last, rms: Math.sqrt(this.#meanSquare) };
  }
}
