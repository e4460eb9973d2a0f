/**
 * The fields of Network Time Security in a request: which are there, and where (RFC 8915 section
 * 5.7).
 *
 * The idea: one walk notes places in the buffer and copies nothing; one object serves one request
 * after another. Fields after the authenticator are not authentic and are ignored, but they must be
 * fields. Limits: what the fields contain is for `server_fields.ts`.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { ByteRange, Bytes } from "../../base/bytes.ts";
import {
  FIELD_HEADER_LENGTH,
  FIELD_TYPE,
  UNIQUE_IDENTIFIER_LENGTH_MIN,
} from "../../protocol/extension_field.ts";
import { HEADER_LENGTH, NTP_VERSION } from "../../protocol/header.ts";
import { PACKET_LENGTH_MAX } from "../../protocol/packet.ts";
import { PacketWalk } from "../../protocol/packet_walk.ts";

/** Why the fields of a request are not those of a request with Network Time Security. */
export type RequestFieldsReason =
  | "nts-malformed-field"
  | "nts-too-many-fields"
  | "nts-no-unique-identifier"
  | "nts-duplicate-unique-identifier"
  | "nts-short-unique-identifier"
  | "nts-no-cookie"
  | "nts-duplicate-cookie"
  | "nts-no-authenticator"
  | "nts-duplicate-authenticator";

const NONE = -1;

/** Finds the fields of one request after another. */
export class NtsRequestFields {
  /** Where the cookie's field begins. */
  cookie: number = NONE;
  /** The octets of the cookie's field, its header included. */
  cookieLength = 0;
  /** Where the authenticator's field begins. */
  authenticator: number = NONE;
  /** The octets of the authenticator's field, its header included. */
  authenticatorLength = 0;
  /** The buffer with the request. */
  bytes: Bytes = new Uint8Array(0);
  /** Where the request begins. */
  offset = 0;
  /** The octets of the request. */
  length = 0;
  readonly #walk = new PacketWalk();
  #identifier = NONE;
  #identifierLength = 0;
  #placeholders = 0;

  /**
   * Finds the fields of a request of version 4, 48 to 2048 octets, whose buffer stays as it is
   * until the next call. "plain": it has nothing of Network Time Security but perhaps a unique
   * identifier; undefined: it has one of each field that it needs.
   */
  find(request: ByteRange): "plain" | RequestFieldsReason | undefined {
    this.#start(request);
    const reason = this.#noteAll();
    if (this.cookie === NONE && this.authenticator === NONE) {
      // Other fields are not judged here, but one that is malformed leaves none to be echoed.
      if (reason !== undefined && reason !== "nts-short-unique-identifier") this.#identifier = NONE;
      return "plain";
    }
    if (reason !== undefined) return reason;
    if (this.#identifier === NONE) return "nts-no-unique-identifier";
    if (this.cookie === NONE) return "nts-no-cookie";
    return this.authenticator === NONE ? "nts-no-authenticator" : undefined;
  }

  /** Whether the request has a unique identifier. */
  get hasIdentifier(): boolean {
    return this.#identifier !== NONE;
  }

  /** Copies the field of the unique identifier, and returns where it ends. */
  copyIdentifier(response: Bytes, offset: number): number {
    assert(response !== this.bytes, "A response does not overwrite its request");
    const bytes = this.bytes, from = this.#identifier, length = this.#identifierLength;
    for (let i = 0; i < length; i++) response[offset + i] = bytes[from + i] as number;
    return offset + length;
  }

  /** Counts the placeholders before the authenticator that are as long as the cookie. */
  countPlaceholders(): number {
    if (this.#placeholders === 0) return 0;
    const walk = this.#walk;
    let count = 0;
    walk.start(this, NTP_VERSION);
    while (walk.next() === "field" && walk.at < this.authenticator) {
      if (walk.type === FIELD_TYPE.ntsCookiePlaceholder && walk.length === this.cookieLength) {
        count++;
      }
    }
    return count;
  }

  #start({ bytes, offset, length }: ByteRange): void {
    assert(
      length >= HEADER_LENGTH && length <= PACKET_LENGTH_MAX,
      "A request that is checked has a header and a bounded length",
    );
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
    this.#identifier = NONE;
    this.cookie = NONE;
    this.#placeholders = 0;
    this.authenticator = NONE;
  }

  #noteAll(): RequestFieldsReason | undefined {
    const walk = this.#walk;
    walk.start(this, NTP_VERSION);
    let reason: RequestFieldsReason | undefined;
    let part = walk.next();
    for (; part === "field"; part = walk.next()) {
      const found = this.#note(walk);
      reason ??= found;
    }
    if (part === "end" || part === "mac") return reason;
    return part === "too-many-fields" ? "nts-too-many-fields" : "nts-malformed-field";
  }

  #note({ type, at, length }: PacketWalk): RequestFieldsReason | undefined {
    if (this.authenticator !== NONE) {
      // What follows the authenticator is discarded, but a second one leaves open which counts (RFC
      // 8915 section 5.7).
      return type === FIELD_TYPE.ntsAuthenticator ? "nts-duplicate-authenticator" : undefined;
    }
    if (type === FIELD_TYPE.uniqueIdentifier) return this.#noteIdentifier(at, length);
    if (type === FIELD_TYPE.ntsCookie) {
      if (this.cookie !== NONE) return "nts-duplicate-cookie";
      this.cookie = at;
      this.cookieLength = length;
    } else if (type === FIELD_TYPE.ntsCookiePlaceholder) {
      this.#placeholders++;
    } else if (type === FIELD_TYPE.ntsAuthenticator) {
      this.authenticator = at;
      this.authenticatorLength = length;
    }
    return undefined;
  }

  #noteIdentifier(at: number, length: number): RequestFieldsReason | undefined {
    if (this.#identifier !== NONE) return "nts-duplicate-unique-identifier";
    if (length - FIELD_HEADER_LENGTH < UNIQUE_IDENTIFIER_LENGTH_MIN) {
      return "nts-short-unique-identifier";
    }
    this.#identifier = at;
    this.#identifierLength = length;
    return undefined;
  }
}
