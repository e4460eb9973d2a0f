/**
 * Authenticated encryption by the system's OpenSSL, made for servers: a key can be changed at every
 * packet, nothing is allotted for an operation, results go into buffers of the caller.
 *
 * The types here are shaped so that an `OpenSslAead` serves wherever the core wants an `Aead`; this
 * folder imports nothing of the core. The checks that all algorithms share are here, the algorithms
 * behind it take what they are given.
 *
 * Limits: AES-SIV-CMAC-256, -384, -512 and AES-128-GCM-SIV; at most 2^16 octets an operation.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { AeadRanges } from "./aead_ranges.ts";
import { GcmSivContext } from "./gcm_siv.ts";
import type { OpenSslLibrary } from "./library.ts";
import { SivContext } from "./siv.ts";

/** What must be known of an algorithm; lengths in octets, numbers from the registry of RFC 5116. */
export interface AeadShape {
  /** 15, 16, 17 AES-SIV-CMAC-256, -384, -512, 30 AES-128-GCM-SIV. */
  readonly id: 15 | 16 | 17 | 30;
  /** Length of a key. */
  readonly keyLength: number;
  /** Shortest nonce. */
  readonly nonceLengthMin: number;
  /** Longest nonce. */
  readonly nonceLengthMax: number;
  /** By how much a ciphertext is longer than its plaintext. */
  readonly overhead: number;
}

interface Context {
  setKey(key: Bytes, offset: number): void;
  seal(ranges: AeadRanges): number;
  open(ranges: AeadRanges): number;
  close(): void;
}

const LENGTH_MAX = 65_536;

/** One algorithm with a key that can be changed. */
export class OpenSslAead<Parameters extends AeadShape> implements Disposable {
  /** What is fixed about the algorithm. */
  readonly parameters: Parameters;
  readonly #context: Context;
  #keyed = false;

  /** Makes the algorithm that `parameters.id` names, without a key. */
  constructor(library: OpenSslLibrary, parameters: Parameters) {
    this.parameters = parameters;
    this.#context = makeContext(library, parameters.id);
  }

  /** Takes `keyLength` octets at `offset` as the key for what follows; they are copied. */
  setKey(key: Bytes, offset: number): void {
    this.#context.setKey(key, offset);
    this.#keyed = true;
  }

  /** Encrypts the input into the output and returns its length. */
  seal(ranges: AeadRanges): number {
    const { nonceLength } = ranges;
    const { nonceLengthMin, nonceLengthMax, overhead } = this.parameters;
    assert(
      nonceLength >= nonceLengthMin && nonceLength <= nonceLengthMax,
      "A nonce has a length that its algorithm accepts",
    );
    this.#check(ranges, ranges.inputLength + overhead);
    return this.#context.seal(ranges);
  }

  /**
   * Verifies and decrypts the input into the output and returns its length, or -1 when it is not
   * authentic, too short or its nonce length is not accepted.
   */
  open(ranges: AeadRanges): number {
    const { nonceLength, inputLength } = ranges;
    const { nonceLengthMin, nonceLengthMax, overhead } = this.parameters;
    if (nonceLength < nonceLengthMin || nonceLength > nonceLengthMax) return -1;
    if (inputLength < overhead) return -1;
    this.#check(ranges, inputLength - overhead);
    return this.#context.open(ranges);
  }

  /** Forgets the key and gives everything back. */
  close(): void {
    this.#keyed = false;
    this.#context.close();
  }

  /** Closes it, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  // Foreign code trusts these lengths, so they are checked always; it costs a few nanoseconds.
  #check(ranges: AeadRanges, outputLength: number): void {
    assert(this.#keyed, "A key is set before it is used");
    assert(
      within(ranges.nonce, ranges.nonceOffset, ranges.nonceLength) &&
        within(ranges.associatedData, ranges.associatedDataOffset, ranges.associatedDataLength) &&
        within(ranges.input, ranges.inputOffset, ranges.inputLength) &&
        within(ranges.output, ranges.outputOffset, outputLength),
      "The ranges of an operation lie within their buffers",
    );
  }
}

function within(buffer: Bytes, offset: number, length: number): boolean {
  return offset >= 0 && length >= 0 && length <= LENGTH_MAX && offset + length <= buffer.length;
}

function makeContext(library: OpenSslLibrary, id: AeadShape["id"]): Context {
  if (id === 30) return new GcmSivContext(library);
  return new SivContext(library, id === 15 ? 32 : id === 16 ? 48 : 64);
}
