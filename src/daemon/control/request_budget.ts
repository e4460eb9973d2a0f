/**
 * How many requests of monitoring protocols are answered: more than any tool asks, and too few to
 * keep the daemon from its work. What is beyond gets no response.
 *
 * @module
 */
import type { MonotonicSeconds } from "../../base/units.ts";

/** A tool that lists many sources asks for each of them at once. */
const BURST = 400;
const REQUESTS_PER_SECOND = 400;

/** A bucket that fills with time. */
export class RequestBudget {
  #left = BURST;
  #at: MonotonicSeconds = -Infinity;

  /** Takes one request out of the budget at a moment; false when there is none left. */
  take(now: MonotonicSeconds): boolean {
    const gained = Math.max(0, now - this.#at) * REQUESTS_PER_SECOND;
    this.#left = Math.min(BURST, this.#left + gained);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
