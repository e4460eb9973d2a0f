/**
 * Random numbers for the core, from the runtime's generator.
 *
 * Limits: `crypto.getRandomValues` is no call of the kernel: the runtime has a ChaCha generator for
 * each thread, which the kernel seeds at first use and anew after each 64 KiB.
 *
 * @module
 */
import type { RandomSource } from "../base/random.ts";

const POOL_WORDS = 256;
const pool = new Uint32Array(POOL_WORDS);
let used = POOL_WORDS;

/** Cryptographically strong randomness, drawn in pieces; each bit is used once. */
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
