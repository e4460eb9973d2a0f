/**
 * The message authentication code of NTP with symmetric keys: the digest over key and packet, or
 * the AES-CMAC of the packet.
 *
 * The idea: the packet's bytes from the first octet of the header to the last before the key
 * identifier go in, the octets after the key identifier come out. Limits: hash(key, packet) is not
 * HMAC, but it is what RFC 5905 has; prefer AES-CMAC (RFC 8573), since MD5 is broken. In NTPv4
 * digests longer than 20 octets are cut to 20, as every implementation does; in NTPv3 chrony sends
 * them whole.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, equalConstantTime } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { aesCmac } from "./cmac.ts";
import { digest, type DigestName } from "./digest.ts";

/** The ways to authenticate with a symmetric key, by the names that key files use. */
export type MacType = DigestName | "AES128" | "AES256";

/** A symmetric key for message authentication codes. */
export interface MacKey {
  /** How the key is used. */
  readonly type: MacType;
  /**
   * Returns the octets that follow the key identifier: the digest, cut to `length` octets, 20 at
   * most when left out (RFC 5905 appendix A.2, RFC 8573 section 3).
   */
  compute(message: Bytes, length?: number): Bytes;
  /**
   * Tells whether `mac`, the octets that follow the key identifier, authenticates `message`; the
   * time it takes does not depend on where they differ.
   */
  verify(message: Bytes, mac: Uint8Array): boolean;
}

/** The longest digest that an NTPv4 packet carries, in octets. */
const VERSION_4_DIGEST_LENGTH_MAX = 20;

/** The octets of the whole digest of each type. */
const DIGEST_LENGTHS: Readonly<Record<MacType, number>> = {
  MD5: 16,
  SHA1: 20,
  SHA256: 32,
  SHA384: 48,
  SHA512: 64,
  AES128: 16,
  AES256: 16,
};

/**
 * Makes a key of secret octets, or tells why they cannot be one: 16 for AES128, 32 for AES256, any
 * other positive length otherwise.
 */
export function macKey(type: MacType, secret: Bytes): Result<MacKey, string> {
  const wanted = type === "AES128" ? 16 : type === "AES256" ? 32 : undefined;
  if (wanted !== undefined && secret.length !== wanted) {
    return err(`A key for ${type} has ${wanted} octets, found ${secret.length}`);
  }
  if (secret.length === 0) return err(`A key for ${type} has at least one octet, found none`);
  return ok(new SymmetricKey(type, secret));
}

/**
 * Tells whether a digest of so many octets may authenticate with a key of this type: the whole
 * digest, as chrony sends it in NTPv3, or its first 20 octets, as all do in NTPv4 and ntpd always
 * does.
 */
export function isMacDigestLength(type: MacType, length: number): boolean {
  const whole = DIGEST_LENGTHS[type];
  return length === whole || (length === VERSION_4_DIGEST_LENGTH_MAX && length < whole);
}

class SymmetricKey implements MacKey {
  readonly type: MacType;
  readonly #secret: Bytes;

  constructor(type: MacType, secret: Bytes) {
    this.type = type;
    this.#secret = secret;
  }

  compute(
    message: Bytes,
    length: number = Math.min(DIGEST_LENGTHS[this.type], VERSION_4_DIGEST_LENGTH_MAX),
  ): Bytes {
    const { type } = this;
    assert(isMacDigestLength(type, length), "A digest has a length of its type");
    const whole = type === "AES128" || type === "AES256"
      ? aesCmac(this.#secret, message)
      : digest(type, concatBytes(this.#secret, message));
    return whole.subarray(0, length);
  }

  verify(message: Bytes, mac: Uint8Array): boolean {
    if (!isMacDigestLength(this.type, mac.length)) return false;
    return equalConstantTime(this.compute(message, mac.length), mac);
  }
}
