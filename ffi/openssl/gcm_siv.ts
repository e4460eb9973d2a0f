/**
 * AES-128-GCM-SIV (RFC 8452), composed of OpenSSL's AES-ECB and a POLYVAL of our own.
 *
 * Only OpenSSL 3.2 and later have AES-GCM-SIV, and the long-lived distributions do not have 3.2.
 * The idea: the two block cipher contexts, for the key that is given and for the one that each
 * nonce derives from it, are kept and re-keyed.
 *
 * Limits: keys of 128 bits; see `polyval.ts` on time; little-endian machines; one operation after
 * the other.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import type { AeadRanges } from "./aead_ranges.ts";
import { KeptCipher, Loader, WorkArea } from "./cipher.ts";
import { StreamCombiner } from "./counter_mode.ts";
import type { OpenSslLibrary } from "./library.ts";
import { Polyval } from "./polyval.ts";

const BLOCK = 16;

/** AES-128-GCM-SIV with a key that can be changed. */
export class GcmSivContext {
  readonly #work = new WorkArea(2048);
  readonly #nonceLoader = new Loader();
  readonly #dataLoader = new Loader();
  readonly #plaintextLoader = new Loader();
  readonly #combiner = new StreamCombiner();
  readonly #generator: KeptCipher;
  readonly #cipher: KeptCipher;
  readonly #polyval = new Polyval();
  readonly #messageKey = new Uint8Array(16);
  readonly #messageKeyWords = new Uint32Array(this.#messageKey.buffer);
  readonly #hashKey = new Uint32Array(4);
  readonly #nonce = new Uint32Array(3);
  readonly #lengths = new Uint32Array(4);
  // The tag at hand, as four words in the order of memory.
  readonly #tag = new Uint32Array(4);

  /** Makes a context. */
  constructor(library: OpenSslLibrary) {
    const options = { mode: "ECB", keyLength: 16, work: this.#work } as const;
    this.#generator = new KeptCipher(library, options);
    this.#cipher = new KeptCipher(library, options);
  }

  /** Takes the key at `offset` of a buffer for what follows. */
  setKey(key: Bytes, offset: number): void {
    this.#generator.setKey(key, offset);
  }

  /** Encrypts the input into the output; the tag comes last. */
  seal(ranges: AeadRanges): number {
    const { input, inputOffset, inputLength, output, outputOffset } = ranges;
    this.#deriveKeys(ranges);
    this.#authenticate(ranges, input, inputOffset, inputLength);
    const tag = this.#tag, { words } = this.#work;
    for (let i = 0; i < 4; i++) tag[i] = words[i] as number;
    this.#combiner.point(output, outputOffset);
    this.#encrypt(input, inputOffset, inputLength);
    const end = outputOffset + inputLength;
    for (let i = 0; i < BLOCK; i++) output[end + i] = (tag[i >>> 2] as number) >>> (8 * (i & 3));
    return inputLength + BLOCK;
  }

  /**
   * Verifies and decrypts the input, which holds at least a tag, into the output; -1 when it is not
   * authentic.
   */
  open(ranges: AeadRanges): number {
    const { input, inputOffset, output, outputOffset } = ranges;
    const length = ranges.inputLength - BLOCK;
    this.#deriveKeys(ranges);
    const tag = this.#tag;
    for (let i = 0; i < 4; i++) {
      const at = inputOffset + length + 4 * i;
      tag[i] = (input[at] as number) | ((input[at + 1] as number) << 8) |
        ((input[at + 2] as number) << 16) | ((input[at + 3] as number) << 24);
    }
    this.#combiner.point(output, outputOffset);
    this.#encrypt(input, inputOffset, length);
    this.#authenticate(ranges, output, outputOffset, length);
    const { words } = this.#work;
    let different = 0;
    for (let i = 0; i < 4; i++) different |= (tag[i] as number) ^ (words[i] as number);
    if (different === 0) return length;
    output.fill(0, outputOffset, outputOffset + length);
    return -1;
  }

  /** Forgets the keys and frees the contexts. */
  close(): void {
    this.#messageKey.fill(0);
    this.#hashKey.fill(0);
    this.#work.bytes.fill(0);
    this.#polyval.clear();
    this.#generator.close();
    this.#cipher.close();
  }

  /**
   * RFC 8452 section 4: four blocks of counter and nonce, of which the first halves are the two
   * keys.
   */
  #deriveKeys(ranges: AeadRanges): void {
    const longest = Math.max(ranges.associatedDataLength, ranges.inputLength);
    this.#work.reserve(longest + 4 * BLOCK);
    const { words } = this.#work;
    const { nonce, nonceOffset } = ranges;
    this.#nonceLoader.load(this.#work, nonce, nonceOffset, 12);
    for (let i = 0; i < 3; i++) this.#nonce[i] = words[i] as number;
    for (let block = 0; block < 4; block++) {
      words[4 * block] = block;
      for (let i = 0; i < 3; i++) words[4 * block + 1 + i] = this.#nonce[i] as number;
    }
    this.#generator.encrypt(4 * BLOCK);
    for (let i = 0; i < 4; i++) {
      const at = 4 * (i >>> 1) + (i & 1);
      this.#hashKey[i] = words[at] as number;
      this.#messageKeyWords[i] = words[8 + at] as number;
    }
    this.#cipher.setKey(this.#messageKey, 0);
  }

  /** RFC 8452 section 4: computes the tag into the first block of the work area. */
  #authenticate(ranges: AeadRanges, bytes: Bytes, offset: number, length: number): void {
    const polyval = this.#polyval;
    polyval.start(this.#hashKey);
    const { associatedData, associatedDataOffset, associatedDataLength } = ranges;
    const work = this.#work;
    this.#dataLoader.load(work, associatedData, associatedDataOffset, associatedDataLength);
    this.#hash(associatedDataLength);
    this.#plaintextLoader.load(work, bytes, offset, length);
    this.#hash(length);
    const lengths = this.#lengths;
    lengths[0] = associatedDataLength * 8; // below 2^32: an operation has at most 2^16 octets
    lengths[2] = length * 8;
    polyval.update(lengths, 1);
    const { words } = this.#work;
    const { state } = polyval;
    for (let i = 0; i < 3; i++) words[i] = (state[i] as number) ^ (this.#nonce[i] as number);
    words[3] = (state[3] as number) & 0x7fff_ffff;
    this.#cipher.encrypt(BLOCK);
  }

  /** Hashes the first `length` octets of the work area, filled up with zeros to whole blocks. */
  #hash(length: number): void {
    const { bytes, words } = this.#work;
    const blocks = Math.ceil(length / BLOCK);
    for (let i = length; i < blocks * BLOCK; i++) bytes[i] = 0;
    this.#polyval.update(words, blocks);
  }

  /**
   * RFC 8452 section 4: counter mode from the tag with its last bit set; the first word counts,
   * least octet first.
   */
  #encrypt(input: Bytes, offset: number, length: number): void {
    if (length === 0) return;
    const tag = this.#tag, { words } = this.#work;
    const blocks = (length + BLOCK - 1) >>> 4;
    for (let i = 0; i < blocks; i++) {
      words[4 * i] = (tag[0] as number) + i;
      words[4 * i + 1] = tag[1] as number;
      words[4 * i + 2] = tag[2] as number;
      words[4 * i + 3] = (tag[3] as number) | 0x8000_0000;
    }
    this.#cipher.encrypt(blocks * BLOCK);
    this.#combiner.combine(this.#work, input, offset, length);
  }
}
