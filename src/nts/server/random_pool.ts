/**
 * Random octets in small pieces without a call and an array for each: a buffer that is filled as a
 * whole and used up.
 *
 * Limits: the octets wait in memory before they are used, which is fine for nonces and no place for
 * long-lived keys.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { RandomSource } from "../../base/random.ts";

const POOL_LENGTH = 4096;

/** Gives out random octets from a buffer; no octet is given out twice. */
export class RandomPool {
  readonly #random: RandomSource;
  readonly #pool: Bytes = new Uint8Array(POOL_LENGTH);
  #used = POOL_LENGTH;

  /** Makes a pool that is filled from `random`. */
  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** Writes a nonce of 12 octets. */
  write12(into: Bytes, offset: number): void {
    assert(offset + 12 <= into.length, "A nonce lies in its buffer");
    const pool = this.#pool, from = this.#take(12);
    for (let i = 0; i < 12; i++) into[offset + i] = pool[from + i] as number;
  }

  /** Writes a nonce of 16 octets. */
  write16(into: Bytes, offset: number): void {
    assert(offset + 16 <= into.length, "A nonce lies in its buffer");
    const pool = this.#pool, from = this.#take(16);
    for (let i = 0; i < 16; i++) into[offset + i] = pool[from + i] as number;
  }

  /** Returns where so many octets lie in the pool that were not given out. */
  #take(length: number): number {
    if (this.#used + length > POOL_LENGTH) {
      this.#random.fill(this.#pool);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += length;
    assert(this.#used <= POOL_LENGTH, "Octets that are given out lie in the pool");
    return from;
  }
}
