/**
 * AES-CMAC (RFC 4493) with a key that can be changed, composed of one AES-CBC context of OpenSSL
 * that is kept.
 *
 * CMAC is CBC with the last block changed by a subkey. The chain of the context is never reset
 * between messages: what it holds is known, so it is taken out of the first block of the next
 * message by exclusive or. OpenSSL's own CMAC allots anew for each key and takes several times as
 * long.
 *
 * Limits: little-endian machines; blocks are handled as four words in the order of memory.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { type AesKeyLength, KeptCipher, type WorkArea } from "./cipher.ts";
import type { OpenSslLibrary } from "./library.ts";

const BLOCK = 16;

/** AES-CMAC with a key that can be changed. */
export class KeptCmac extends KeptCipher {
  /**
   * Where the message is put, from the start on, before `finish`; its content is lost by `finish`
   * and `setKey`.
   */
  readonly work: WorkArea;
  /** The result of the last `finish`, as four words in the order of memory. */
  readonly result: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  // For a message that ends with a whole block, and for one that is padded.
  readonly #subkeyWhole = new Uint32Array(4);
  readonly #subkeyPadded = new Uint32Array(4);

  /** Makes a context for keys of one length, working in the given area. */
  constructor(
    library: OpenSslLibrary,
    options: { readonly keyLength: AesKeyLength; readonly work: WorkArea },
  ) {
    super(library, { mode: "CBC", ...options });
    this.work = options.work;
  }

  /** Takes the key at `offset` of a buffer for what follows. */
  override setKey(key: Bytes, offset: number): void {
    super.setKey(key, offset);
    const { result } = this;
    // A new key brings back the initialisation vector, which is zero. (`fill` costs more than four
    // stores.)
    setZero(result);
    setZero(this.work.words);
    this.#chain(BLOCK);
    double(this.#subkeyWhole, result);
    double(this.#subkeyPadded, this.#subkeyWhole);
  }

  /**
   * Computes the CMAC of the first `length` octets of the work area, which has room for one block
   * more, into `result`.
   */
  finish(length: number): void {
    const { words } = this.work;
    let total = length;
    let subkey = this.#subkeyWhole;
    if (length === 0 || (length & (BLOCK - 1)) !== 0) {
      total = (length & -BLOCK) + BLOCK;
      padBlock(this.work, length);
      subkey = this.#subkeyPadded;
    }
    const last = (total - BLOCK) >>> 2;
    words[last] = (words[last] as number) ^ (subkey[0] as number);
    words[last + 1] = (words[last + 1] as number) ^ (subkey[1] as number);
    words[last + 2] = (words[last + 2] as number) ^ (subkey[2] as number);
    words[last + 3] = (words[last + 3] as number) ^ (subkey[3] as number);
    this.#chain(total);
  }

  /** Forgets the key and frees the context. */
  override close(): void {
    this.#subkeyWhole.fill(0);
    this.#subkeyPadded.fill(0);
    super.close();
  }

  /**
   * Chains whole blocks of the work area as if the chain started with zeros; the last block becomes
   * the result.
   */
  #chain(length: number): void {
    const { words } = this.work;
    const { result } = this;
    addBlock(words, result);
    this.encrypt(length);
    const last = (length - BLOCK) >>> 2;
    result[0] = words[last] as number;
    result[1] = words[last + 1] as number;
    result[2] = words[last + 2] as number;
    result[3] = words[last + 3] as number;
  }
}

/** Fills the last block of a message of `length` octets up: a one bit, then zeros. */
export function padBlock(work: WorkArea, length: number): void {
  const { bytes, words } = work;
  const end = (length & -BLOCK) + BLOCK;
  let at = length;
  bytes[at++] = 0x80;
  while ((at & 3) !== 0) bytes[at++] = 0;
  for (; at < end; at += 4) words[at >>> 2] = 0;
}

/** Sets the first block of words to zero. */
export function setZero(words: Uint32Array): void {
  words[0] = 0;
  words[1] = 0;
  words[2] = 0;
  words[3] = 0;
}

/**
 * Combines the first block of `target` with that of `source` by exclusive or; written out, because
 * it runs for every block.
 */
export function addBlock(target: Uint32Array, source: Uint32Array): void {
  target[0] = (target[0] as number) ^ (source[0] as number);
  target[1] = (target[1] as number) ^ (source[1] as number);
  target[2] = (target[2] as number) ^ (source[2] as number);
  target[3] = (target[3] as number) ^ (source[3] as number);
}

/** Doubles a block in the field of RFC 5297 section 2.3 into `target`, which may be `source`. */
export function double(target: Uint32Array, source: Uint32Array): void {
  const a = source[0] as number, b = source[1] as number;
  const c = source[2] as number, d = source[3] as number;
  // The reduction is a mask, not a branch, so that the time does not depend on the key.
  const reduction = (0x87 & -((a >>> 7) & 1)) << 24;
  target[0] = shiftOctets(a) | ((b & 0x80) << 17);
  target[1] = shiftOctets(b) | ((c & 0x80) << 17);
  target[2] = shiftOctets(c) | ((d & 0x80) << 17);
  target[3] = shiftOctets(d) ^ reduction;
}

/**
 * Shifts a word, whose octets are in the order of memory and the first of which counts most, by one
 * bit to the left, without turning it around: each octet shifts, and takes the highest bit of the
 * next one.
 */
function shiftOctets(word: number): number {
  return ((word & 0x7f7f_7f7f) << 1) | ((word >>> 15) & 0x0001_0101);
}

/** Reverses the octets of a word. */
export function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
