/**
 * The server's side of Network Time Security in NTP packets (RFC 8915 section 5): is this request
 * authentic, and which fields belong into the response.
 *
 * The problem: this is the busiest code of a server, and every octet of it may come from an enemy.
 * The idea: `check` looks at a request in the buffer where it lies and says what it is; then the
 * caller writes the header of the response and calls `protect`, `nak` or `echo`, which append
 * fields to it in place. Nothing is allocated, the work is bounded: at most 32 fields, one cookie,
 * one verification, one answer of at most eight cookies; and the response is never longer than the
 * request.
 *
 * What is refused without a response: malformed fields, no or two or short unique identifiers, no
 * or two cookies, two authenticators, cookies or unique identifiers that are encrypted, a nonce
 * that leaves no room for ours. What gets a NAK: a cookie that we cannot open, a request that is
 * not authentic. Fields after the authenticator are not authentic and are ignored, but they must be
 * fields.
 *
 * @module
 */
import { assert, present } from "../../base/assert.ts";
import type { ByteRange, Bytes } from "../../base/bytes.ts";
import {
  type Aead,
  type AeadFactory,
  aeadParameters,
  emptyOperation,
  NTS_AEAD_IDS,
  type NtsAeadId,
} from "../../crypto/aead.ts";
import { FIELD_TYPE } from "../../protocol/extension_field.ts";
import { HEADER_LENGTH, NTP_VERSION } from "../../protocol/header.ts";
import { PACKET_LENGTH_MAX } from "../../protocol/packet.ts";
import { PacketWalk } from "../../protocol/packet_walk.ts";
import { type CookieCodec, cookieLength, OWN_COOKIE_LENGTH_MAX } from "./cookie.ts";
import { COOKIE_JAR_SIZE } from "../key_exchange/cookies.ts";
import type { RandomPool } from "./random_pool.ts";

/** The shortest body of a unique identifier (RFC 8915 section 5.3). */
const UNIQUE_IDENTIFIER_LENGTH_MIN = 32;

/** Why a request gets no response. */
export type NtsDropReason =
  | "nts-malformed-field"
  | "nts-too-many-fields"
  | "nts-no-unique-identifier"
  | "nts-duplicate-unique-identifier"
  | "nts-short-unique-identifier"
  | "nts-no-cookie"
  | "nts-duplicate-cookie"
  | "nts-no-authenticator"
  | "nts-duplicate-authenticator"
  | "nts-malformed-authenticator"
  | "nts-short-nonce"
  | "nts-malformed-encrypted-field"
  | "nts-encrypted-cookie";

/** Why a request gets a NAK. */
export type NtsNakReason = "nts-nak-unknown-key" | "nts-nak-bad-cookie" | "nts-nak-not-authentic";

/**
 * What a request is: "plain" has nothing of Network Time Security but perhaps a unique identifier,
 * to be answered plainly with `echo` (whether its other fields are well formed is not said);
 * "protected" is authentic, to be answered with `protect`; the others tell why it gets a NAK or no
 * response.
 */
export type NtsRequestKind = "plain" | "protected" | NtsNakReason | NtsDropReason;

const AUTHENTICATOR_HEAD_LENGTH = 8;
const SIV_TAG_LENGTH = 16;
const NONE = -1;

/** Checks requests and builds the fields of responses, one request at a time. */
export class NtsServerFields {
  readonly #cookies: CookieCodec;
  readonly #random: RandomPool;
  readonly #aeads = new Map<NtsAeadId, Aead>();
  readonly #operation = emptyOperation();
  readonly #inner: Bytes = new Uint8Array(PACKET_LENGTH_MAX);
  readonly #parts = new PacketWalk();
  readonly #cookieRange = { offset: 0, length: 0 };

  #bytes: Bytes = this.#inner;
  #start = 0;
  #end = 0;
  #identifier = NONE;
  #identifierLength = 0;
  #cookie = NONE;
  #cookieLength = 0;
  #placeholders = 0;
  #authenticator = NONE;
  #authenticatorLength = 0;
  #cookieCount = 0;

  /** Prepares one context for every algorithm that the implementation has. */
  constructor(
    options: {
      readonly cookies: CookieCodec;
      readonly aead: AeadFactory;
      readonly random: RandomPool;
    },
  ) {
    this.#cookies = options.cookies;
    this.#random = options.random;
    for (const id of NTS_AEAD_IDS) {
      const aead = options.aead(id);
      if (aead !== undefined) this.#aeads.set(id, aead);
    }
    assert(this.#aeads.has(15), "A server has AES-SIV-CMAC-256");
  }

  /**
   * Judges a request of mode 3 and version 4, 48 to 2048 octets; its buffer must stay as it is
   * until the response is built.
   */
  check(request: ByteRange): NtsRequestKind {
    assert(
      request.length >= HEADER_LENGTH && request.length <= PACKET_LENGTH_MAX,
      "A request that is checked has a header and a bounded length",
    );
    this.#bytes = request.bytes;
    this.#start = request.offset;
    this.#end = request.offset + request.length;
    this.#identifier = NONE;
    this.#cookie = NONE;
    this.#placeholders = 0;
    this.#authenticator = NONE;
    this.#cookieCount = 0;
    const problem = this.#walk(request);
    if (this.#cookie === NONE && this.#authenticator === NONE) {
      // Without a trace of NTS the request is none of our business; other code judges its fields.
      if (problem !== undefined && problem !== "nts-short-unique-identifier") {
        this.#identifier = NONE;
      }
      return "plain";
    }
    if (problem !== undefined) return problem;
    if (this.#identifier === NONE) return "nts-no-unique-identifier";
    if (this.#cookie === NONE) return "nts-no-cookie";
    if (this.#authenticator === NONE) return "nts-no-authenticator";
    return this.#verify();
  }

  /**
   * Appends to a header of 48 octets at `offset` of the response the unique identifier and the
   * authenticator with new cookies, and returns the length of the whole response. After "protected"
   * only. The response lies in another buffer than the request.
   */
  protect(response: Bytes, offset: number): number {
    assert(
      this.#cookieCount > 0,
      "Only a request that was found authentic is answered with protection",
    );
    assert(response !== this.#bytes, "A response does not overwrite its request");
    const aeadId = this.#cookies.aeadId;
    const aead = present(this.#aeads.get(aeadId), "The algorithm of the request is there");
    const authenticator = this.#copyIdentifier(response, offset + HEADER_LENGTH);
    const nonce = authenticator + AUTHENTICATOR_HEAD_LENGTH;
    const { nonceLength } = aead.parameters;
    const plaintextLength = this.#makeCookies(aeadId);
    if (nonceLength === 16) this.#random.write16(response, nonce);
    else this.#random.write12(response, nonce);
    const operation = this.#operation;
    operation.nonce = response;
    operation.nonceOffset = nonce;
    operation.nonceLength = nonceLength;
    operation.associatedData = response;
    operation.associatedDataOffset = offset;
    operation.associatedDataLength = authenticator - offset;
    operation.input = this.#inner;
    operation.inputOffset = 0;
    operation.inputLength = plaintextLength;
    operation.output = response;
    operation.outputOffset = nonce + nonceLength;
    aead.setKey(this.#cookies.plaintext, this.#cookies.serverToClientOffset);
    const sealedLength = aead.seal(operation);
    const end = nonce + nonceLength + sealedLength;
    writeUint16(response, authenticator, FIELD_TYPE.ntsAuthenticator);
    writeUint16(response, authenticator + 2, end - authenticator);
    writeUint16(response, authenticator + 4, nonceLength);
    writeUint16(response, authenticator + 6, sealedLength);
    this.#cookieCount = 0;
    assert(end - offset <= this.#end - this.#start, "A response is never longer than its request");
    return end - offset;
  }

  /**
   * Appends the unique identifier to the header of a NAK (stratum 0, reference identifier NTSN) and
   * returns the length of the whole answer (RFC 8915 section 5.7).
   */
  nak(response: Bytes, offset: number): number {
    assert(this.#identifier !== NONE, "A request that gets a NAK has a unique identifier");
    return this.#copyIdentifier(response, offset + HEADER_LENGTH) - offset;
  }

  /**
   * Appends the unique identifier, if the request has one, to any other answer without protection,
   * and returns the length of the whole response (RFC 8915 section 5.3).
   */
  echo(response: Bytes, offset: number): number {
    if (this.#identifier === NONE) return HEADER_LENGTH;
    return this.#copyIdentifier(response, offset + HEADER_LENGTH) - offset;
  }

  /** Gives back the contexts; the object is not used afterwards. */
  close(): void {
    for (const aead of this.#aeads.values()) aead.close();
    this.#aeads.clear();
  }

  #walk(request: ByteRange): NtsDropReason | undefined {
    const walk = this.#parts;
    walk.start(request, NTP_VERSION);
    let problem: NtsDropReason | undefined;
    let part = walk.next();
    for (; part === "field"; part = walk.next()) {
      const found = this.#note(walk.type, { position: walk.at, length: walk.length });
      problem ??= found;
    }
    if (part === "end" || part === "mac") return problem;
    return part === "too-many-fields" ? "nts-too-many-fields" : "nts-malformed-field";
  }

  #note(
    type: number,
    field: { readonly position: number; readonly length: number },
  ): NtsDropReason | undefined {
    if (this.#authenticator !== NONE) {
      // What follows the authenticator is discarded, but a second one leaves open which counts (RFC
      // 8915 section 5.7).
      return type === FIELD_TYPE.ntsAuthenticator ? "nts-duplicate-authenticator" : undefined;
    }
    switch (type) {
      case FIELD_TYPE.uniqueIdentifier:
        if (this.#identifier !== NONE) return "nts-duplicate-unique-identifier";
        if (field.length - 4 < UNIQUE_IDENTIFIER_LENGTH_MIN) return "nts-short-unique-identifier";
        this.#identifier = field.position;
        this.#identifierLength = field.length;
        return undefined;
      case FIELD_TYPE.ntsCookie:
        if (this.#cookie !== NONE) return "nts-duplicate-cookie";
        this.#cookie = field.position;
        this.#cookieLength = field.length;
        return undefined;
      case FIELD_TYPE.ntsCookiePlaceholder:
        this.#placeholders++;
        return undefined;
      case FIELD_TYPE.ntsAuthenticator:
        this.#authenticator = field.position;
        this.#authenticatorLength = field.length;
        return undefined;
      default:
        return undefined;
    }
  }

  #verify(): NtsRequestKind {
    const body = this.#authenticator + 4;
    const nonceLength = readUint16(this.#bytes, body);
    const sealedLength = readUint16(this.#bytes, body + 2);
    const sealed = body + 4 + padded(nonceLength);
    const padding = this.#authenticator + this.#authenticatorLength - sealed - padded(sealedLength);
    if (padding < 0 || nonceLength === 0 || sealedLength < SIV_TAG_LENGTH) {
      return "nts-malformed-authenticator";
    }
    const range = this.#cookieRange;
    range.offset = this.#cookie + 4;
    range.length = this.#cookieLength - 4;
    const cookieReason = this.#cookies.open(this.#bytes, range);
    if (cookieReason === "unknown-key") return "nts-nak-unknown-key";
    if (cookieReason !== undefined) return "nts-nak-bad-cookie";
    const aead = this.#aeads.get(this.#cookies.aeadId);
    if (aead === undefined) return "nts-nak-bad-cookie";
    if (padded(nonceLength) + padding < aead.parameters.nonceLengthRequired) {
      return "nts-short-nonce";
    }
    const operation = this.#operation;
    operation.nonce = this.#bytes;
    operation.nonceOffset = body + 4;
    operation.nonceLength = nonceLength;
    operation.associatedData = this.#bytes;
    operation.associatedDataOffset = this.#start;
    operation.associatedDataLength = this.#authenticator - this.#start;
    operation.input = this.#bytes;
    operation.inputOffset = sealed;
    operation.inputLength = sealedLength;
    operation.output = this.#inner;
    operation.outputOffset = 0;
    aead.setKey(this.#cookies.plaintext, this.#cookies.clientToServerOffset);
    const innerLength = aead.open(operation);
    if (innerLength < 0) return "nts-nak-not-authentic";
    return this.#accept(innerLength);
  }

  /**
   * Counts the cookies that the response may hold: one, and one for every placeholder as long as
   * the cookie (section 5.5).
   */
  #accept(innerLength: number): NtsRequestKind {
    let valid = this.#placeholders === 0 ? 0 : this.#placeholdersBefore();
    for (let position = 0; position < innerLength;) {
      const length = innerLength - position < 4 ? 0 : readUint16(this.#inner, position + 2);
      if (length < 4 || length % 4 !== 0 || length > innerLength - position) {
        return "nts-malformed-encrypted-field";
      }
      const type = readUint16(this.#inner, position);
      if (type === FIELD_TYPE.ntsCookie || type === FIELD_TYPE.uniqueIdentifier) {
        return "nts-encrypted-cookie";
      }
      if (type === FIELD_TYPE.ntsCookiePlaceholder && length === this.#cookieLength) valid++;
      position += length;
    }
    this.#cookieCount = 1 + Math.min(valid, COOKIE_JAR_SIZE - 1);
    return "protected";
  }

  #placeholdersBefore(): number {
    let valid = 0;
    for (let position = this.#start + HEADER_LENGTH; position < this.#authenticator;) {
      const length = readUint16(this.#bytes, position + 2);
      const type = readUint16(this.#bytes, position);
      if (type === FIELD_TYPE.ntsCookiePlaceholder && length === this.#cookieLength) valid++;
      position += length;
    }
    return valid;
  }

  #makeCookies(aeadId: NtsAeadId): number {
    const fieldLength = 4 + cookieLength(aeadId);
    assert(fieldLength === this.#cookieLength, "New cookies are as long as the one that came");
    assert(
      COOKIE_JAR_SIZE * (4 + OWN_COOKIE_LENGTH_MAX) <= this.#inner.length,
      "Eight cookies fit",
    );
    let position = 0;
    for (let i = 0; i < this.#cookieCount; i++) {
      writeUint16(this.#inner, position, FIELD_TYPE.ntsCookie);
      writeUint16(this.#inner, position + 2, fieldLength);
      this.#cookies.seal(this.#inner, position + 4);
      position += fieldLength;
    }
    return position;
  }

  #copyIdentifier(response: Bytes, offset: number): number {
    assert(response !== this.#bytes, "A response does not overwrite its request");
    const bytes = this.#bytes, from = this.#identifier, length = this.#identifierLength;
    for (let i = 0; i < length; i++) response[offset + i] = bytes[from + i] as number;
    return offset + length;
  }
}

/** Names the algorithms that a server with this implementation can offer. */
export function availableAeadIds(factory: AeadFactory): readonly NtsAeadId[] {
  return NTS_AEAD_IDS.filter((id) => {
    const aead = factory(id, new Uint8Array(aeadParameters(id).keyLength));
    aead?.close();
    return aead !== undefined;
  });
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function readUint16(bytes: Bytes, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

function writeUint16(bytes: Bytes, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}
