/**
 * Randomness as an input. The core draws from a `RandomSource` that it is given: the daemon gives
 * the kernel's generator, tests and the simulator a seeded one, so that every run can be repeated.
 *
 * @module
 */

/** A source of uniformly random bits. */
export interface RandomSource {
  /** Returns a uniform integer, 0 to 2^32 - 1. */
  uint32(): number;
  /** Fills the array with uniform octets. */
  fill(bytes: Uint8Array): void;
}

/** Returns a uniform number in [0, 1) with 53 random bits. */
export function uniform(random: RandomSource): number {
  const high = random.uint32() >>> 5;
  const low = random.uint32() >>> 6;
  return (high * 67_108_864 + low) / 9_007_199_254_740_992;
}

/** Returns `length` uniform octets in a new array. */
export function randomBytes(random: RandomSource, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

/** Returns a uniform 64-bit integer. */
export function randomUint64(random: RandomSource): bigint {
  return (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
}

/**
 * A small, fast, repeatable generator (xoshiro128** seeded by splitmix32). Not for secrets: for
 * simulations and tests.
 */
export class SeededRandom implements RandomSource {
  readonly #state = new Uint32Array(4);

  /** Starts the sequence that belongs to `seed`, any integer. */
  constructor(seed: number) {
    let mix = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      mix = (mix + 0x9e3779b9) >>> 0;
      let z = mix;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.#state[i] = z ^ (z >>> 15);
    }
  }

  uint32(): number {
    const state = this.#state;
    const s0 = state[0] ?? 0, s1 = state[1] ?? 0, s2 = state[2] ?? 0, s3 = state[3] ?? 0;
    const product = Math.imul(s1, 5);
    const t2 = s2 ^ s0, t3 = s3 ^ s1;
    state[0] = s0 ^ t3;
    state[1] = s1 ^ t2;
    state[2] = t2 ^ (s1 << 9);
    state[3] = (t3 << 11) | (t3 >>> 21);
    return Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 4) {
      const word = this.uint32();
      for (let j = 0; j < 4 && i + j < bytes.length; j++) bytes[i + j] = word >>> (8 * j);
    }
  }
}
