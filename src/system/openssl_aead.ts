/**
 * Lends the system's OpenSSL to the core as its authenticated encryption.
 *
 * @module
 */
import type { OpenSsl } from "../../ffi/openssl/mod.ts";
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { type Aead, type AeadFactory, aeadParameters, type NtsAeadId } from "../crypto/aead.ts";

/** Returns a factory that makes every algorithm out of OpenSSL. */
export function openSslAeadFactory(openssl: OpenSsl): AeadFactory {
  return (id: NtsAeadId, key?: Bytes): Aead => {
    const aead = openssl.aead(aeadParameters(id));
    if (key !== undefined) {
      assert(key.length === aead.parameters.keyLength, "A key has the length of its algorithm");
      aead.setKey(key, 0);
    }
    return aead;
  };
}
