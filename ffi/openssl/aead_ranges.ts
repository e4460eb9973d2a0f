/**
 * Where the parts of an authenticated encryption lie: ranges of buffers, so that nothing is copied
 * or allotted for them.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";

/** The ranges of one operation; the output overlaps no other range. */
export interface AeadRanges {
  /** Buffer that holds the nonce. */
  readonly nonce: Bytes;
  /** Where the nonce starts. */
  readonly nonceOffset: number;
  /** Length of the nonce. */
  readonly nonceLength: number;
  /** Buffer that holds the associated data. */
  readonly associatedData: Bytes;
  /** Where the associated data start. */
  readonly associatedDataOffset: number;
  /** Length of the associated data. */
  readonly associatedDataLength: number;
  /** Buffer that holds the plaintext or the ciphertext. */
  readonly input: Bytes;
  /** Where the input starts. */
  readonly inputOffset: number;
  /** Length of the input. */
  readonly inputLength: number;
  /** Buffer that takes the result. */
  readonly output: Bytes;
  /** Where the result starts. */
  readonly outputOffset: number;
}
