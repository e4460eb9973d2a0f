/**
 * Key derivation by HKDF with SHA-256 (RFC 5869): how one secret becomes another that does not
 * betray it.
 *
 * @module
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";

/** What goes into a derivation. */
export interface HkdfInput {
  /** The secret that the new one is made of. */
  readonly secret: Bytes;
  /** A value that is not secret; may be empty. */
  readonly salt: Bytes;
  /** What the new secret is for; may be empty. */
  readonly info: Bytes;
}

/** Derives `length` octets, 1 to 8160 (asserted) (RFC 5869 section 2). */
export function hkdfSha256(input: HkdfInput, length: number): Bytes {
  assert(length >= 1 && length <= 255 * 32, "HKDF with SHA-256 gives 1 to 8160 octets");
  return hkdf(sha256, input.secret, input.salt, input.info, length);
}
