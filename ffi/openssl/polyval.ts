/**
 * POLYVAL (RFC 8452 section 3), the hash of AES-GCM-SIV, whose key changes at every message.
 *
 * OpenSSL before 3.2 offers neither AES-GCM-SIV nor a GHASH with a key of one's choice, so this
 * part is JavaScript. The idea: a block is an integer of 128 bits, least significant octet first,
 * as four words. Multiplication runs over the octets from the low end: add the multiple of the key
 * that the octet names (from two tables of sixteen), then divide by x^8.
 *
 * Limits: the tables are looked up at secret places, as in every implementation without carry-less
 * multiplication; they are 512 octets, eight lines of cache, so what a process on the same core
 * could learn is little.
 *
 * @module
 */

/**
 * What an octet that leaves at the low end adds at the high end, when a block is divided by x^8;
 * only for the top word.
 */
const REDUCTION = makeReduction();

/** POLYVAL with a key that can be changed. */
export class Polyval {
  /** The hash so far, as four words, least significant first. */
  readonly state: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  // Sixteen multiples of the key for the low half of an octet, then sixteen for the high half, four
  // words each.
  readonly #table = new Uint32Array(128);

  /** Takes four words of key, least significant first, and starts a new hash. */
  start(key: Uint32Array): void {
    const table = this.#table;
    for (let i = 0; i < 4; i++) table[4 + i] = key[i] as number;
    for (let power = 2; power <= 8; power *= 2) timesX(table, 4 * power, 2 * power);
    timesX(table, 68, 32);
    for (let power = 2; power <= 8; power *= 2) timesX(table, 64 + 4 * power, 64 + 2 * power);
    for (const half of [0, 64]) {
      for (let multiple = 3; multiple < 16; multiple++) {
        const low = multiple & (multiple - 1);
        if (low === 0) continue; // a power of two
        const one = multiple ^ low;
        for (let i = 0; i < 4; i++) {
          table[half + 4 * multiple + i] = (table[half + 4 * low + i] as number) ^
            (table[half + 4 * one + i] as number);
        }
      }
    }
    this.state.fill(0);
  }

  /** Adds `count` blocks that lie at the start of `words`. */
  update(words: Uint32Array, count: number): void {
    const { state } = this;
    const table = this.#table;
    for (let block = 0; block < count; block++) {
      let z0 = 0, z1 = 0, z2 = 0, z3 = 0;
      for (let i = 0; i < 4; i++) {
        let word = (words[4 * block + i] as number) ^ (state[i] as number);
        for (let octet = 0; octet < 4; octet++) {
          const low = (word & 15) << 2;
          const high = 64 + ((word >>> 2) & 60);
          z0 ^= (table[low] as number) ^ (table[high] as number);
          z1 ^= (table[low + 1] as number) ^ (table[high + 1] as number);
          z2 ^= (table[low + 2] as number) ^ (table[high + 2] as number);
          z3 ^= (table[low + 3] as number) ^ (table[high + 3] as number);
          const out = z0 & 255;
          z0 = (z0 >>> 8) | (z1 << 24);
          z1 = (z1 >>> 8) | (z2 << 24);
          z2 = (z2 >>> 8) | (z3 << 24);
          z3 = (z3 >>> 8) ^ (REDUCTION[out] as number);
          word >>>= 8;
        }
      }
      state[0] = z0;
      state[1] = z1;
      state[2] = z2;
      state[3] = z3;
    }
  }

  /** Forgets the key. */
  clear(): void {
    this.#table.fill(0);
    this.state.fill(0);
  }
}

/**
 * Multiplies the block at word `from` by x, modulo x^128 + x^127 + x^126 + x^121 + 1, into the
 * block at word `to`.
 */
function timesX(table: Uint32Array, to: number, from: number): void {
  const a = table[from] as number, b = table[from + 1] as number;
  const c = table[from + 2] as number, d = table[from + 3] as number;
  const carry = -(d >>> 31);
  table[to] = (a << 1) ^ (carry & 1);
  table[to + 1] = (b << 1) | (a >>> 31);
  table[to + 2] = (c << 1) | (b >>> 31);
  table[to + 3] = ((d << 1) | (c >>> 31)) ^ (carry & 0xc200_0000);
}

/**
 * For each octet the top word of octet * x^-8; the lower words are zero, since 1/x is x^127 + x^126
 * + x^125 + x^120.
 */
function makeReduction(): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(256);
  for (let octet = 0; octet < 256; octet++) {
    let low = octet, top = 0;
    for (let bit = 0; bit < 8; bit++) {
      const out = low & 1;
      low >>>= 1;
      top = (top >>> 1) ^ (out ? 0xe100_0000 : 0);
    }
    table[octet] = top;
  }
  return table;
}
