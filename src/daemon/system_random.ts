/**
 * The kernel's random numbers for the core.
 *
 * @module
 */
import type { RandomSource } from "../base/random.ts";

const POOL_WORDS = 256;
const pool = new Uint32Array(POOL_WORDS);
let used = POOL_WORDS;

/** Cryptographically strong randomness, drawn from the kernel in pieces; each bit is used once. */
export const randomSource: RandomSource = {
  uint32(): number {
    if (used >= POOL_WORDS) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    const word = pool[used] ?? 0;
    pool[used++] = 0;
    return word;
  },
  fill(bytes: Uint8Array<ArrayBuffer>): void {
    crypto.getRandomValues(bytes);
  },
};
