/**
 * Authenticated encryption without the system's library, on the audited ciphers of @noble: what
 * clients, tests and machines without OpenSSL use.
 *
 * The idea: clarity before speed; one operation on 100 octets costs about 20 microseconds, which a
 * client does not feel and a busy server does. Limits: JavaScript has no constant-time promise; the
 * table lookups of AES may leak to a process on the same core.
 *
 * @module
 */
import { aessiv, gcmsiv } from "@noble/ciphers/aes.js";
import { assert, unreachable } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import {
  type Aead,
  AEAD_ID,
  type AeadOperation,
  type AeadParameters,
  aeadParameters,
  type NtsAeadId,
} from "./aead.ts";

/** Makes an `Aead` of the portable implementation; it has every algorithm. */
export function portableAead(id: NtsAeadId, key?: Bytes): Aead {
  const aead = new PortableAead(aeadParameters(id));
  if (key !== undefined) {
    assert(key.length === aead.parameters.keyLength, "A key has the length of its algorithm");
    aead.setKey(key, 0);
  }
  return aead;
}

interface OneMessage {
  encrypt(plaintext: Uint8Array): Uint8Array;
  decrypt(ciphertext: Uint8Array): Uint8Array;
}

class PortableAead implements Aead {
  readonly parameters: AeadParameters;
  readonly #key: Bytes;
  #keyed = false;

  constructor(parameters: AeadParameters) {
    this.parameters = parameters;
    this.#key = new Uint8Array(parameters.keyLength);
  }

  setKey(key: Bytes, offset: number): void {
    assert(offset + this.#key.length <= key.length, "A key lies within its buffer");
    for (let i = 0; i < this.#key.length; i++) this.#key[i] = key[offset + i] ?? 0;
    this.#keyed = true;
  }

  seal(operation: AeadOperation): number {
    assert(this.#keyed, "A key is set before something is sealed");
    assert(this.#accepts(operation.nonceLength), "A nonce has a length that its algorithm accepts");
    const sealed = this.#cipher(operation).encrypt(inputOf(operation));
    operation.output.set(sealed, operation.outputOffset);
    return sealed.length;
  }

  open(operation: AeadOperation): number {
    assert(this.#keyed, "A key is set before something is opened");
    if (!this.#accepts(operation.nonceLength)) return -1;
    if (operation.inputLength < this.parameters.overhead) return -1;
    let opened: Uint8Array;
    try {
      opened = this.#cipher(operation).decrypt(inputOf(operation));
    } catch {
      return -1; // the library reports a wrong tag by an exception
    }
    operation.output.set(opened, operation.outputOffset);
    return opened.length;
  }

  close(): void {
    this.#key.fill(0);
    this.#keyed = false;
  }

  #accepts(nonceLength: number): boolean {
    return nonceLength >= this.parameters.nonceLengthMin &&
      nonceLength <= this.parameters.nonceLengthMax;
  }

  #cipher(operation: AeadOperation): OneMessage {
    const nonce = operation.nonce.slice(
      operation.nonceOffset,
      operation.nonceOffset + operation.nonceLength,
    );
    const data = operation.associatedData.slice(
      operation.associatedDataOffset,
      operation.associatedDataOffset + operation.associatedDataLength,
    );
    switch (this.parameters.id) {
      case AEAD_ID.AES_SIV_CMAC_256:
      case AEAD_ID.AES_SIV_CMAC_384:
      case AEAD_ID.AES_SIV_CMAC_512:
        return aessiv(this.#key, data, nonce); // RFC 8915 section 5.6 with RFC 5297 section 3
      case AEAD_ID.AES_128_GCM_SIV:
        return gcmsiv(this.#key, nonce, data);
      default:
        return unreachable(this.parameters.id);
    }
  }
}

function inputOf(operation: AeadOperation): Bytes {
  return operation.input.slice(
    operation.inputOffset,
    operation.inputOffset + operation.inputLength,
  );
}
