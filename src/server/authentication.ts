/**
 * What the response path needs of authentication, by Network Time Security and by symmetric keys.
 *
 * @module
 */
import { assert, present } from "../base/assert.ts";
import type { ByteRange, Bytes } from "../base/bytes.ts";
import { HEADER_LENGTH } from "../protocol/header.ts";
import type { MacKey } from "../crypto/mac.ts";
import { ACCESS_ALLOW, type AccessRules } from "./access.ts";
import type { Client } from "./client.ts";
import type { NtsRequestKind } from "../nts/server/server_fields.ts";

/**
 * Checks requests with fields of Network Time Security and appends fields to responses;
 * `NtsServerFields` is one. Each response is built before the next request is checked.
 */
export interface NtsResponder {
  /** Checks a request. */
  check(request: ByteRange): NtsRequestKind;
  /**
   * Appends to the header at `offset` the fields of a protected response, and returns the length of
   * the whole.
   */
  protect(response: Bytes, offset: number): number;
  /** Appends to the header of a NAK, and returns the length of the whole. */
  nak(response: Bytes, offset: number): number;
  /**
   * Appends the unique identifier of the request to the header of any other response, and returns
   * the length of the whole.
   */
  echo(response: Bytes, offset: number): number;
}

/** What symmetric keys say of a request. */
export type MacOutcome = "authentic" | "unknown-key" | "bad-mac";

/**
 * Checks and signs with symmetric keys. Each response is signed before the next request is checked.
 */
export interface MacResponder {
  /** Checks a request of a client, whose MAC is its last `macLength` octets. */
  check(request: ByteRange, macLength: number, client?: Client): MacOutcome;
  /**
   * Appends the MAC of the header at `offset` with the key and the length of the request's, and
   * returns the length of the whole.
   */
  sign(response: Bytes, offset: number): number;
}

const KEY_ID_LENGTH = 4;

/** Checks and signs with a table of keys (RFC 5905 section 7.3, RFC 8573). */
export class SymmetricKeys implements MacResponder {
  #keys: ReadonlyMap<number, MacKey> = new Map();
  #origins: ReadonlyMap<number, AccessRules> = new Map();
  #keyId = 0;
  #digestLength = 0;

  /**
   * Uses these keys by their identifiers, 1 to 2^32 - 1; a key with rules of origin is unknown to
   * clients that they do not allow.
   */
  constructor(
    keys: ReadonlyMap<number, MacKey>,
    origins: ReadonlyMap<number, AccessRules> = new Map(),
  ) {
    this.replace(keys, origins);
  }

  /** Uses other keys from now on; not between a check and the response to it. */
  replace(
    keys: ReadonlyMap<number, MacKey>,
    origins: ReadonlyMap<number, AccessRules> = new Map(),
  ): void {
    assert(!keys.has(0), "Key identifier 0 is not valid");
    this.#keys = keys;
    this.#origins = origins;
  }

  check(request: ByteRange, macLength: number, client?: Client): MacOutcome {
    const { bytes, offset, length } = request;
    const signed = bytes.subarray(offset, offset + length - macLength);
    const mac = bytes.subarray(offset + length - macLength, offset + length);
    this.#keyId = new DataView(mac.buffer, mac.byteOffset).getUint32(0);
    const key = this.#keys.get(this.#keyId);
    if (key === undefined) return "unknown-key";
    const origin = this.#origins.get(this.#keyId);
    if (origin !== undefined && (client === undefined || origin.decide(client) !== ACCESS_ALLOW)) {
      return "unknown-key";
    }
    const digest = mac.subarray(KEY_ID_LENGTH);
    this.#digestLength = digest.length;
    return key.verify(signed, digest) ? "authentic" : "bad-mac";
  }

  sign(response: Bytes, offset: number): number {
    const key = present(this.#keys.get(this.#keyId), "A response is signed after its request");
    const end = offset + HEADER_LENGTH;
    new DataView(response.buffer, response.byteOffset).setUint32(end, this.#keyId);
    const digest = key.compute(response.subarray(offset, end), this.#digestLength);
    response.set(digest, end + KEY_ID_LENGTH);
    return HEADER_LENGTH + KEY_ID_LENGTH + digest.length;
  }
}
