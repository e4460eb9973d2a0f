/**
 * The message authentication code of NTP with symmetric keys: the digest over key and packet, or the AES-CMAC of the packet.
 *
 * The idea: the packet's bytes from the first octet of the header to the last before the key identifier go in, the octets
 * after the key identifier come out. Limits: hash(key, packet) is not HMAC, but it is what RFC 5905 has; prefer AES-CMAC
 * (RFC 8573), since MD5 is broken. Digests longer than 20 octets are cut to 20, as every implementation does.
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
  /** The secret octets: 16 for AES128, 32 for AES256, any other positive length otherwise. */
  readonly secret: Bytes;
}

/** The longest digest that a packet carries, in octets. */
export const MAC_DIGEST_LENGTH_MAX = 20;

/** Makes a key, or tells why the octets cannot be one. */
export function macKey(type: MacType, secret: Bytes): Result<MacKey, string> {
  const wanted = type === "AES128" ? 16 : type === "AES256" ? 32 : undefined;
  if (wanted !== undefined && secret.length !== wanted) {
    return err(`A key for ${type} has ${wanted} octets, found ${secret.length}`);
  }
  if (secret.length === 0) return err(`A key for ${type} has at least one octet, found none`);
  return ok({ type, secret });
}

/** Returns how many octets of digest follow the key identifier: 16 or 20. */
export function macDigestLength(type: MacType): number {
  return type === "MD5" || type === "AES128" || type === "AES256" ? 16 : MAC_DIGEST_LENGTH_MAX;
}

/** Returns the octets that follow the key identifier: 16 or 20 (RFC 5905 appendix A.2, RFC 8573 section 3). */
export function computeMac(key: MacKey, message: Bytes): Bytes {
  const full = key.type === "AES128" || key.type === "AES256"
    ? aesCmac(key.secret, message)
    : digest(key.type, concatBytes(key.secret, message));
  const mac = full.subarray(0, MAC_DIGEST_LENGTH_MAX);
  assert(mac.length === macDigestLength(key.type), "A digest has the length of its type");
  return mac;
}

/**
 * Tells whether `mac`, the octets that follow the key identifier, authenticates `message`; the time it takes does not depend
 * on where they differ.
 */
export function verifyMac(key: MacKey, message: Bytes, mac: Uint8Array): boolean {
  return equalConstantTime(computeMac(key, message), mac);
}
