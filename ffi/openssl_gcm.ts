/**
 * AES-256-GCM by OpenSSL with contexts that keep their key: for cookies, which only the server itself opens.
 *
 * Limits: nonces of 12 octets; one operation after the other.
 *
 * @module
 */
import { assert } from "../src/base/assert.ts";
import type { Bytes } from "../src/base/bytes.ts";
import type { AeadRanges } from "./openssl_aead.ts";
import { cipherContext, Loader, WorkArea } from "./openssl_cipher.ts";
import type { OpenSslLibrary } from "./openssl_library.ts";
import type { OwnedPointer } from "./openssl_pointer.ts";

const TAG = 16;
const CTRL_GET_TAG = 0x10;
const CTRL_SET_TAG = 0x11;

/** AES-256-GCM with a key that can be changed. */
export class GcmContext {
  readonly #crypto: OpenSslLibrary["crypto"];
  readonly #sealing: OwnedPointer;
  readonly #opening: OwnedPointer;
  readonly #work = new WorkArea(2048);
  readonly #nonceLoader = new Loader();
  readonly #dataLoader = new Loader();
  readonly #inputLoader = new Loader();
  // Key, nonce, tag and the count of octets written: small things at known addresses.
  readonly #key = new Uint8Array(32);
  readonly #keyPointer = Deno.UnsafePointer.of(this.#key);
  readonly #nonce = new WorkArea(16);
  readonly #tag = new Uint8Array(TAG);
  readonly #tagPointer = Deno.UnsafePointer.of(this.#tag);
  readonly #written = new Int32Array(1);
  readonly #writtenPointer = Deno.UnsafePointer.of(this.#written);

  /** Makes a context. */
  constructor(library: OpenSslLibrary) {
    this.#crypto = library.crypto;
    this.#sealing = cipherContext(library, { name: "AES-256-GCM" });
    this.#opening = cipherContext(library, { name: "AES-256-GCM", decrypt: true });
  }

  /** Takes the key at `offset` of a buffer for what follows. */
  setKey(key: Bytes, offset: number): void {
    const own = this.#key;
    assert(offset >= 0 && offset + own.length <= key.length, "A key lies within its buffer");
    for (let i = 0; i < own.length; i++) own[i] = key[offset + i] as number;
    const { EVP_EncryptInit_ex, EVP_DecryptInit_ex } = this.#crypto;
    const sealing = EVP_EncryptInit_ex(this.#sealing.pointer, null, null, this.#keyPointer, null);
    const opening = EVP_DecryptInit_ex(this.#opening.pointer, null, null, this.#keyPointer, null);
    assert(sealing === 1 && opening === 1, "OpenSSL takes a key of the right length");
  }

  /** Encrypts the input into the output; the tag comes last. */
  seal(ranges: AeadRanges): number {
    const { EVP_EncryptInit_ex, EVP_EncryptUpdate, EVP_EncryptFinal_ex, EVP_CIPHER_CTX_ctrl } =
      this.#crypto;
    const { inputLength, output, outputOffset } = ranges;
    const context = this.#sealing.pointer, work = this.#work, written = this.#writtenPointer;
    this.#loadNonce(ranges);
    let done = EVP_EncryptInit_ex(context, null, null, null, this.#nonce.pointer);
    if (this.#loadAssociatedData(ranges)) {
      done &= EVP_EncryptUpdate(context, null, written, work.pointer, ranges.associatedDataLength);
    }
    this.#loadInput(ranges, inputLength);
    if (inputLength > 0) {
      done &= EVP_EncryptUpdate(context, work.pointer, written, work.pointer, inputLength);
    }
    done &= EVP_EncryptFinal_ex(context, this.#tagPointer, written);
    done &= EVP_CIPHER_CTX_ctrl(context, CTRL_GET_TAG, TAG, this.#tagPointer);
    assert(done === 1, "OpenSSL seals");
    copyOut(work.bytes, { output, outputOffset, length: inputLength });
    copyOut(this.#tag, { output, outputOffset: outputOffset + inputLength, length: TAG });
    return inputLength + TAG;
  }

  /** Verifies and decrypts the input, which holds at least a tag, into the output; -1 when it is not authentic. */
  open(ranges: AeadRanges): number {
    const { EVP_DecryptInit_ex, EVP_DecryptUpdate, EVP_DecryptFinal_ex, EVP_CIPHER_CTX_ctrl } =
      this.#crypto;
    const { input, inputOffset, output, outputOffset } = ranges;
    const length = ranges.inputLength - TAG;
    const context = this.#opening.pointer, work = this.#work, written = this.#writtenPointer;
    this.#loadNonce(ranges);
    let done = EVP_DecryptInit_ex(context, null, null, null, this.#nonce.pointer);
    if (this.#loadAssociatedData(ranges)) {
      done &= EVP_DecryptUpdate(context, null, written, work.pointer, ranges.associatedDataLength);
    }
    for (let i = 0; i < TAG; i++) this.#tag[i] = input[inputOffset + length + i] as number;
    this.#loadInput(ranges, length);
    if (length > 0) {
      done &= EVP_DecryptUpdate(context, work.pointer, written, work.pointer, length);
    }
    done &= EVP_CIPHER_CTX_ctrl(context, CTRL_SET_TAG, TAG, this.#tagPointer);
    assert(done === 1, "OpenSSL takes what is to be verified");
    if (EVP_DecryptFinal_ex(context, this.#tagPointer, written) !== 1) return -1;
    copyOut(work.bytes, { output, outputOffset, length });
    return length;
  }

  /** Forgets the key and frees the contexts. */
  close(): void {
    this.#key.fill(0);
    this.#work.bytes.fill(0);
    this.#sealing.close();
    this.#opening.close();
  }

  #loadNonce(ranges: AeadRanges): void {
    const { nonce: bytes, nonceOffset: offset } = ranges;
    this.#nonceLoader.load(this.#nonce, bytes, offset, 12);
  }

  #loadAssociatedData(ranges: AeadRanges): boolean {
    const { associatedData: bytes, associatedDataOffset: offset } = ranges;
    const length = ranges.associatedDataLength;
    this.#work.reserve(Math.max(length, ranges.inputLength));
    this.#dataLoader.load(this.#work, bytes, offset, length);
    return length > 0;
  }

  #loadInput(ranges: AeadRanges, length: number): void {
    const { input: bytes, inputOffset: offset } = ranges;
    this.#inputLoader.load(this.#work, bytes, offset, length);
  }
}

function copyOut(
  bytes: Bytes,
  to: { readonly output: Bytes; readonly outputOffset: number; readonly length: number },
): void {
  const { output, outputOffset, length } = to;
  for (let i = 0; i < length; i++) output[outputOffset + i] = bytes[i] as number;
}
