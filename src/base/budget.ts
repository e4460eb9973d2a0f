/**
 * How much may be done in a second, whoever asks for it: a bucket that fills with time and holds
 * what comes in within a second.
 *
 * @module
 */
import type { MonotonicSeconds } from "./units.ts";

/** A bucket, full at first. */
export class Budget {
  readonly #perSecond: number;
  #left: number;
  #at: MonotonicSeconds = -Infinity;

  /** Allows so much in a second, and as much at once after a pause. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Fills the bucket up to a moment, and says whether one is left in it. */
  isLeft(now: MonotonicSeconds): boolean {
    const gained = Math.max(0, now - this.#at) * this.#perSecond;
    this.#left = Math.min(this.#perSecond, this.#left + gained);
    this.#at = now;
    return this.#left >= 1;
  }

  /** Takes one; to be called when one is left. */
  take(): void {
    this.#left--;
  }
}
