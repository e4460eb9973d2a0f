/**
 * A keyed hash of eight octets, for tables whose keys strangers choose.
 *
 * The problem: an attacker that can predict which addresses share a row of a table can evict others
 * from it. The idea: HalfSipHash-2-4 with a secret key, made of 32-bit additions, rotations and
 * exclusive ors. Words are signed, because such numbers are kept without an allocation wherever
 * they go. Limits: 32 bits of output and a key of 64 bits, enough to place entries in a table, not
 * to authenticate anything.
 *
 * @module
 */
import type { RandomSource } from "../base/random.ts";

const INITIAL_2 = 0x6c796765;
const INITIAL_3 = 0x74656462;
const LENGTH_WORD = 8 << 24;

/** Hashes pairs of words with a key that only this process knows. */
export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;

  /** Draws the key. */
  constructor(random: RandomSource) {
    this.#key0 = random.uint32() | 0;
    this.#key1 = random.uint32() | 0;
  }

  /**
   * Returns 32 bits, as a signed number, for the message of eight octets whose little-endian words
   * are `first` and `second` (Aumasson and Bernstein, SipHash, 2012; the variant for 32-bit words).
   */
  hash(first: number, second: number): number {
    let v0 = this.#key0, v1 = this.#key1;
    let v2 = INITIAL_2 ^ v0, v3 = INITIAL_3 ^ v1;
    for (let step = 0; step < 4; step++) {
      const word = step === 0 ? first : step === 1 ? second : step === 2 ? LENGTH_WORD : 0;
      const rounds = step === 3 ? 4 : 2;
      if (step === 3) v2 ^= 0xff;
      v3 ^= word;
      for (let round = 0; round < rounds; round++) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
    }
    return v1 ^ v3;
  }
}
