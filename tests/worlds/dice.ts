/**
 * Random choices for a world, from its number.
 *
 * @module
 */
import { Draws } from "../../src/simulation/draws.ts";

/** A range of positive numbers. */
export type Range = readonly [least: number, most: number];

/** Draws the choices of one world; the same number gives the same choices. */
export class Dice {
  readonly #draws: Draws;

  /** Begins with the stream of a world's number. */
  constructor(number: number) {
    this.#draws = Draws.stream(number, "world");
  }

  /** A number in the range, evenly over the logarithms, with three digits. */
  log([least, most]: Range): number {
    return Number((least * (most / least) ** this.#draws.uniform()).toPrecision(3));
  }

  /** The same with either sign. */
  signed(range: Range): number {
    return this.chance(0.5) ? this.log(range) : -this.log(range);
  }

  /** An integer in the range, both ends included. */
  integer([least, most]: Range): number {
    return least + Math.floor(this.#draws.uniform() * (most - least + 1));
  }

  /** Whether something happens that does with this probability. */
  chance(probability: number): boolean {
    return this.#draws.uniform() < probability;
  }

  /** One of the choices. */
  of<Choice>(first: Choice, ...others: readonly Choice[]): Choice {
    return [first, ...others][this.integer([0, others.length])] ?? first;
  }
}
