/**
 * The message digests that NTP uses: for symmetric keys (RFC 5905 section 7.3) and to press an IPv6
 * address into a reference identifier.
 *
 * Limits: MD5 and SHA-1 are here because peers and the reference identifier need them; nothing new
 * should use them.
 *
 * @module
 */
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { unreachable } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";

/** The digests by the names that key files use. */
export type DigestName = "MD5" | "SHA1" | "SHA256" | "SHA384" | "SHA512";

/** Returns the digest of `message`: 16, 20, 32, 48 or 64 octets. */
export function digest(name: DigestName, message: Bytes): Bytes {
  switch (name) {
    case "MD5":
      return md5(message);
    case "SHA1":
      return sha1(message);
    case "SHA256":
      return sha256(message);
    case "SHA384":
      return sha384(message);
    case "SHA512":
      return sha512(message);
    default:
      return unreachable(name);
  }
}

/**
 * Returns the reference identifier of an IPv6 address: the first four octets, as a number, of the
 * MD5 digest of its 16 octets (RFC 5905 section 7.3).
 */
export function referenceIdOfIpv6(address: Bytes): number {
  const octets = md5(address);
  return new DataView(octets.buffer, octets.byteOffset).getUint32(0);
}
