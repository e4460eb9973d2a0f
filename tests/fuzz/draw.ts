/**
 * Draws of all kinds from a seed, for worlds that go on from what was drawn before.
 *
 * @module
 */
import assert from "node:assert/strict";
import { SeededRandom, uniform } from "../../src/base/random.ts";

/** A row of draws. */
export class Draw {
  /** Where all chance comes from. */
  readonly random: SeededRandom;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** A number from 0 to 1, evenly. */
  uniform(): number {
    return uniform(this.random);
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** A whole number below a limit. */
  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** One of some values. */
  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.integer(values.length)];
    assert.ok(value !== undefined);
    return value;
  }

  /** A number between two, evenly over the logarithms. */
  between(least: number, most: number): number {
    return least * (Math.max(least, most) / least) ** this.uniform();
  }

  /** The same with either sign. */
  signed(least: number, most: number): number {
    return this.chance(0.5) ? -this.between(least, most) : this.between(least, most);
  }
}
