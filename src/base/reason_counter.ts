/**
 * Counts of what was refused, by reason. The reasons are a fixed union of words, so that nothing an
 * outsider sends can make it grow.
 *
 * @module
 */

/** Returns all counts together. */
export function totalOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Counts events by a reason out of a fixed set of words. */
export class ReasonCounter<Reason extends string> {
  readonly #counts = new Map<Reason, number>();

  /** Adds one (or `amount`) to the count of `reason`, and returns the new count. */
  add(reason: Reason, amount = 1): number {
    const count = (this.#counts.get(reason) ?? 0) + amount;
    this.#counts.set(reason, count);
    return count;
  }

  /** Whether nothing has been counted. */
  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** Returns the count of one reason, or of all reasons together. */
  total(reason?: Reason): number {
    if (reason !== undefined) return this.#counts.get(reason) ?? 0;
    let sum = 0;
    for (const count of this.#counts.values()) sum += count;
    return sum;
  }

  /**
   * Returns the counts that are not zero as a plain object, in the order in which the reasons first
   * occurred.
   */
  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
