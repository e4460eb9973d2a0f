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
    this.#writeAt(into, offset, 12);
  }

  /** Writes a nonce of 16 octets. */
  write16(into: Bytes, offset: number): void {
    this.#writeAt(into, offset, 16);
  }

  #writeAt(into: Bytes, offset: number, length: number): void {
    assert(length <= POOL_LENGTH && offset + length <= into.length, "A range lies in its buffer");
    const pool = this.#pool;
    if (this.#used + length > POOL_LENGTH) {
      this.#random.fill(pool);
      this.#used = 0;
    }
    const used = this.#used;
    for (let i = 0; i < length; i++) into[offset + i] = pool[used + i] as number;
    this.#used = used + length;
  }
}
