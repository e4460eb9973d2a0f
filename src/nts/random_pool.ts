/**
 * Random octets in small pieces without a call and an array for each: a buffer that is filled as a whole and used up.
 *
 * Limits: the octets wait in memory before they are used, which is fine for nonces and no place for long-lived keys.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";

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
    if (this.#used + length > POOL_LENGTH) {
      this.#random.fill(this.#pool);
      this.#used = 0;
    }
    for (let i = 0; i < length; i++) into[offset + i] = this.#pool[this.#used + i] ?? 0;
    this.#used += length;
  }
}
