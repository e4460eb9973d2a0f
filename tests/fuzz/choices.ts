/**
 * Octets as a row of choices: what a target with a life of its own does next, and every number that
 * it needs for it.
 *
 * The idea: two octets are one choice, so that changing a few octets of an input changes a few
 * steps of a life and leaves the others. It is a source of randomness like any other, so that what
 * makes packets and texts from a seed makes them from an input as well. Behind the last octet the
 * choices go on from a fixed seed; `isOver` says that no further step is to be begun.
 *
 * @module
 */
import { type RandomSource, SeededRandom } from "../../src/base/random.ts";

/** Spreads 16 bits over 32, the lower 16 each of their values once (the golden ratio). */
const SPREAD = 0x9e37_79b1;

/** The choices of one input. */
export class Choices implements RandomSource {
  readonly #octets: Uint8Array;
  readonly #after = new SeededRandom(0);
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  /** Whether all octets are used up. */
  get isOver(): boolean {
    return this.#at >= this.#octets.length;
  }

  uint32(): number {
    if (this.isOver) return this.#after.uint32();
    const high = this.#octets[this.#at++] ?? 0;
    const low = this.#octets[this.#at++] ?? 0;
    return Math.imul((high << 8) | low, SPREAD) >>> 0;
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.uint32();
  }
}
