/**
 * Random draws for the simulated world, from seeds.
 *
 * The idea: every part of the world (the oscillator, each direction of each path) draws from a
 * stream of its own that is derived from the seed of the run and the name of the part. So a client
 * that asks more often does not change the weather: the same seed gives the same oscillator
 * whatever the engine does.
 *
 * @module
 */
import { type RandomSource, SeededRandom, uniform } from "../base/random.ts";

/** Draws from the distributions that the simulated world is made of. */
export class Draws {
  readonly #random: RandomSource;
  #spareNormal = Number.NaN;

  /** Draws from the given source of bits. */
  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** Opens the stream that belongs to one part of the world in the run with this seed. */
  static stream(seed: number, part: string): Draws {
    return new Draws(new SeededRandom(streamSeed(seed, part)));
  }

  /** Returns a uniform number in [0, 1). */
  uniform(): number {
    return uniform(this.#random);
  }

  /**
   * Returns a normal number with mean 0 and standard deviation 1 (polar method, the second of a
   * pair is kept).
   */
  normal(): number {
    if (!Number.isNaN(this.#spareNormal)) {
      const spare = this.#spareNormal;
      this.#spareNormal = Number.NaN;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const square = u * u + v * v;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt(-2 * Math.log(square) / square);
      this.#spareNormal = v * factor;
      return u * factor;
    }
  }

  /** Returns an exponential number with this mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  /**
   * Returns a Lomax (Pareto II) number with this mean, which exists for a shape above 1; the
   * variance is infinite for a shape of 2 or less.
   */
  lomax(mean: number, shape: number): number {
    const scale = mean * (shape - 1);
    return scale * ((1 - this.uniform()) ** (-1 / shape) - 1);
  }
}

/**
 * Returns the seed of the stream of one part, a 32-bit integer (FNV-1a over the name, mixed with
 * the seed of the run).
 */
export function streamSeed(seed: number, part: string): number {
  let hash = 0x811c9dc5 ^ Math.imul(seed >>> 0, 0x9e3779b1);
  for (let i = 0; i < part.length; i++) {
    hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
