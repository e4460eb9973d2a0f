/**
 * A sum of millions of small numbers whose rounding errors do not add up (Kahan's compensated
 * summation).
 *
 * @module
 */

/** A running sum. */
export class CompensatedSum {
  #sum: number;
  #lost = 0;

  /** Starts at `initial`. */
  constructor(initial = 0) {
    this.#sum = initial;
  }

  /** Adds a number. */
  add(value: number): void {
    const corrected = value - this.#lost;
    const sum = this.#sum + corrected;
    this.#lost = (sum - this.#sum) - corrected;
    this.#sum = sum;
  }

  /** The sum so far. */
  get value(): number {
    return this.#sum;
  }
}
