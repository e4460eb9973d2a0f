/**
 * AES-SIV-CMAC-256, -384 and -512 (RFC 5297) with the components associated data, nonce, plaintext.
 *
 * The problem: a server verifies and seals with the keys of another client at every packet, and
 * OpenSSL's own AES-SIV allots and fetches at each new key. The idea: SIV is composed of a CMAC and
 * a block cipher whose contexts are kept. The second key is not even set while there is nothing to
 * encrypt, as in requests, and what S2V needs of the key alone is made when the key is set, or when
 * it is first needed, so that a key that stays (for cookies) costs less still.
 *
 * Limits: little-endian machines; one operation after the other.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { AeadRanges } from "./aead_ranges.ts";
import { type AesKeyLength, KeptCipher, Loader, WordViews, WorkArea } from "./cipher.ts";
import { addBlock, double, KeptCmac, padBlock, setZero, swap } from "./cmac.ts";
import { StreamCombiner } from "./counter_mode.ts";
import type { OpenSslLibrary } from "./library.ts";

const BLOCK = 16;

/** AES-SIV with a key that can be changed. */
export class SivContext {
  readonly #half: AesKeyLength;
  readonly #work = new WorkArea(2048);
  readonly #dataLoader = new Loader();
  readonly #nonceLoader = new Loader();
  readonly #plaintextLoader = new Loader();
  readonly #combiner = new StreamCombiner();
  readonly #mac: KeptCmac;
  readonly #cipher: KeptCipher;
  readonly #cipherKey = new WorkArea(32);
  readonly #cipherKeyLoader = new Loader();
  readonly #vectors = new WordViews();
  #cipherKeyed = false;
  #emptyKnown = false;
  // Blocks as four words in the order of memory: the doubled CMAC of zeros, the state of S2V after
  // associated data of no length, the state at hand, the vector at hand.
  readonly #start = new Uint32Array(4);
  readonly #afterEmpty = new Uint32Array(4);
  readonly #state = new Uint32Array(4);
  readonly #vector = new Uint32Array(4);

  /** Makes a context for keys of 32, 48 or 64 octets. */
  constructor(library: OpenSslLibrary, keyLength: 32 | 48 | 64) {
    this.#half = keyLength === 32 ? 16 : keyLength === 48 ? 24 : 32;
    const options = { keyLength: this.#half, work: this.#work };
    this.#mac = new KeptCmac(library, options);
    this.#cipher = new KeptCipher(library, { mode: "ECB", ...options });
  }

  /** Takes the key at `offset` of a buffer for what follows. */
  setKey(key: Bytes, offset: number): void {
    const half = this.#half;
    assert(offset >= 0 && offset + 2 * half <= key.length, "A key lies within its buffer");
    this.#cipherKeyLoader.load(this.#cipherKey, key, offset + half, half);
    this.#cipherKeyed = false;
    this.#emptyKnown = false;
    this.#mac.setKey(key, offset);
    setZero(this.#work.words);
    this.#mac.finish(BLOCK);
    double(this.#start, this.#mac.result);
  }

  /** Encrypts the input into the output; the synthetic initialisation vector comes first. */
  seal(ranges: AeadRanges): number {
    const { input, inputOffset, inputLength, output, outputOffset } = ranges;
    this.#reserve(ranges);
    this.#synthesize(ranges, input, inputOffset, inputLength);
    const vector = this.#vector;
    for (let i = 0; i < 4; i++) vector[i] = this.#mac.result[i] as number;
    this.#vectors.writeBlock(vector, output, outputOffset);
    this.#combiner.point(output, outputOffset + BLOCK);
    this.#encrypt(input, inputOffset, inputLength);
    return BLOCK + inputLength;
  }

  /**
   * Verifies and decrypts the input, which holds at least a vector, into the output; -1 when it is
   * not authentic.
   */
  open(ranges: AeadRanges): number {
    const { input, inputOffset, output, outputOffset } = ranges;
    const length = ranges.inputLength - BLOCK;
    this.#reserve(ranges);
    const vector = this.#vector;
    this.#vectors.readBlock(vector, input, inputOffset);
    this.#combiner.point(output, outputOffset);
    this.#encrypt(input, inputOffset + BLOCK, length);
    this.#synthesize(ranges, output, outputOffset, length);
    const { result } = this.#mac;
    let different = 0;
    for (let i = 0; i < 4; i++) different |= (vector[i] as number) ^ (result[i] as number);
    if (different === 0) return length;
    output.fill(0, outputOffset, outputOffset + length);
    return -1;
  }

  /** Forgets the key and frees the contexts. */
  close(): void {
    this.#cipherKey.bytes.fill(0);
    this.#start.fill(0);
    this.#afterEmpty.fill(0);
    this.#work.bytes.fill(0);
    this.#mac.close();
    this.#cipher.close();
  }

  #reserve(ranges: AeadRanges): void {
    const longest = Math.max(ranges.associatedDataLength, ranges.nonceLength, ranges.inputLength);
    this.#work.reserve(longest + 2 * BLOCK);
  }

  /**
   * S2V over associated data, nonce and plaintext (RFC 5297 section 2.4); the vector is the result
   * of the CMAC. The plaintext lies at `offset` of `bytes`.
   */
  #synthesize(ranges: AeadRanges, bytes: Bytes, offset: number, length: number): void {
    const work = this.#work;
    if (ranges.associatedDataLength === 0) this.#absorbNothing();
    else this.#absorbData(ranges);
    const { nonce, nonceOffset, nonceLength } = ranges;
    this.#nonceLoader.load(work, nonce, nonceOffset, nonceLength);
    this.#absorb(nonceLength);
    this.#plaintextLoader.load(work, bytes, offset, length);
    this.#absorbLast(length);
  }

  #absorbData(ranges: AeadRanges): void {
    const state = this.#state;
    const { associatedData, associatedDataOffset, associatedDataLength } = ranges;
    this.#dataLoader.load(
      this.#work,
      associatedData,
      associatedDataOffset,
      associatedDataLength,
    );
    setBlock(state, this.#start);
    this.#absorb(associatedDataLength);
    double(state, state);
  }

  #absorbNothing(): void {
    const state = this.#state, afterEmpty = this.#afterEmpty;
    if (this.#emptyKnown) return setBlock(state, afterEmpty);
    setBlock(state, this.#start);
    this.#absorb(0);
    double(state, state);
    setBlock(afterEmpty, state);
    this.#emptyKnown = true;
  }

  #absorb(length: number): void {
    this.#mac.finish(length);
    addBlock(this.#state, this.#mac.result);
  }

  #absorbLast(length: number): void {
    const state = this.#state;
    if (length >= BLOCK) {
      this.#addToEnd(length);
      this.#mac.finish(length);
      return;
    }
    double(state, state);
    padBlock(this.#work, length);
    addBlock(this.#work.words, state);
    this.#mac.finish(BLOCK);
  }

  /** Combines the state with the last 16 of `length` octets. */
  #addToEnd(length: number): void {
    const state = this.#state;
    const { bytes, words } = this.#work;
    const start = length - BLOCK;
    if ((start & 3) === 0) {
      const at = start >>> 2;
      for (let i = 0; i < 4; i++) words[at + i] = (words[at + i] as number) ^ (state[i] as number);
      return;
    }
    for (let i = 0; i < BLOCK; i++) {
      const octet = (state[i >>> 2] as number) >>> (8 * (i & 3));
      bytes[start + i] = (bytes[start + i] as number) ^ octet;
    }
  }

  /**
   * Counter mode from the vector, two of whose bits are cleared so that 32 bits of counter never
   * carry (section 2.5).
   */
  #encrypt(input: Bytes, offset: number, length: number): void {
    if (length === 0) return;
    if (!this.#cipherKeyed) {
      this.#cipher.setKey(this.#cipherKey.bytes, 0);
      this.#cipherKeyed = true;
    }
    const vector = this.#vector, { words } = this.#work;
    const first = vector[0] as number, second = vector[1] as number;
    const third = (vector[2] as number) & 0xffff_ff7f;
    const counter = swap((vector[3] as number) & 0xffff_ff7f);
    const blocks = (length + BLOCK - 1) >>> 4;
    for (let i = 0; i < blocks; i++) {
      words[4 * i] = first;
      words[4 * i + 1] = second;
      words[4 * i + 2] = third;
      words[4 * i + 3] = swap(counter + i);
    }
    this.#cipher.encrypt(blocks * BLOCK);
    this.#combiner.combine(this.#work, input, offset, length);
  }
}

function setBlock(target: Uint32Array, source: Uint32Array): void {
  for (let i = 0; i < 4; i++) target[i] = source[i] as number;
}
