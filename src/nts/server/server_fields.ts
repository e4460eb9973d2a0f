/**
 * The server's side of Network Time Security in NTP packets (RFC 8915 section 5): is this request
 * authentic, and which fields belong into the response.
 *
 * The problem: this is the busiest code of a server, and every octet of it may come from an enemy.
 * The idea: `check` looks at a request in the buffer where it lies and says what it is; then the
 * caller writes the header of the response and calls `protect`, `nak` or `echo`, which append
 * fields to it in place. Nothing is allocated, the work is bounded: at most 32 fields, one cookie,
 * one verification, one response of at most eight cookies; and the response is never longer than
 * the request.
 *
 * What is refused without a response: malformed fields, no or two or short unique identifiers, no
 * or two cookies, two authenticators, cookies or unique identifiers that are encrypted, a nonce
 * that leaves no room for ours. What gets a NAK: a cookie that we cannot open, a request that is
 * not authentic.
 *
 * @module
 */
import { assert, present } from "../../base/assert.ts";
import type { ByteRange, Bytes } from "../../base/bytes.ts";
import {
  type Aead,
  AEAD_ID,
  type AeadFactory,
  aeadParameters,
  emptyOperation,
  NTS_AEAD_IDS,
  type NtsAeadId,
} from "../../crypto/aead.ts";
import { FIELD_HEADER_LENGTH, FIELD_TYPE, paddedLength } from "../../protocol/extension_field.ts";
import { HEADER_LENGTH } from "../../protocol/header.ts";
import { PACKET_LENGTH_MAX } from "../../protocol/packet.ts";
import { PacketWalk } from "../../protocol/packet_walk.ts";
import { AuthenticatorLayout } from "../authenticator.ts";
import { COOKIE_JAR_SIZE } from "../key_exchange/cookies.ts";
import { type CookieCodec, cookieLength, OWN_COOKIE_LENGTH_MAX } from "./cookie.ts";
import type { RandomPool } from "./random_pool.ts";
import { NtsRequestFields, type RequestFieldsReason } from "./request_fields.ts";

/** Why a request gets no response. */
export type NtsDropReason =
  | RequestFieldsReason
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

/** The shortest ciphertext: the tag of an empty plaintext. */
const CIPHERTEXT_LENGTH_MIN = 16;

/** Checks requests and builds the fields of responses, one request at a time. */
export class NtsServerFields {
  readonly #cookies: CookieCodec;
  readonly #random: RandomPool;
  readonly #aeads = new Map<NtsAeadId, Aead>();
  readonly #operation = emptyOperation();
  readonly #request = new NtsRequestFields();
  readonly #authenticator = new AuthenticatorLayout();
  readonly #walk = new PacketWalk();
  readonly #cookieRange = { offset: 0, length: 0 };
  /** The plaintext of an authenticator, of the request and then of the response. */
  readonly #plaintext = { bytes: new Uint8Array(PACKET_LENGTH_MAX), offset: 0, length: 0 };
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
    assert(this.#aeads.has(AEAD_ID.AES_SIV_CMAC_256), "A server has AES-SIV-CMAC-256");
  }

  /**
   * Checks a request of mode 3 and version 4, 48 to 2048 octets; its buffer must stay as it is
   * until the response is built.
   */
  check(request: ByteRange): NtsRequestKind {
    this.#cookieCount = 0;
    return this.#request.find(request) ?? this.#verify();
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
    const layout = this.#authenticator;
    layout.offset = this.#request.copyIdentifier(response, offset + HEADER_LENGTH);
    this.#makeCookies();
    this.#seal(response, offset);
    layout.writeHead(response);
    const length = layout.end - offset;
    assert(length <= this.#request.length, "A response is never longer than its request");
    return length;
  }

  /**
   * Appends the unique identifier to the header of a NAK (stratum 0, reference identifier NTSN) and
   * returns the length of the whole response (RFC 8915 section 5.7).
   */
  nak(response: Bytes, offset: number): number {
    assert(this.#request.hasIdentifier, "A request that gets a NAK has a unique identifier");
    return this.#request.copyIdentifier(response, offset + HEADER_LENGTH) - offset;
  }

  /**
   * Appends the unique identifier, if the request has one, to any other response without
   * protection, and returns the length of the whole response (RFC 8915 section 5.3).
   */
  echo(response: Bytes, offset: number): number {
    if (!this.#request.hasIdentifier) return HEADER_LENGTH;
    return this.#request.copyIdentifier(response, offset + HEADER_LENGTH) - offset;
  }

  /** Gives back the contexts; the object is not used afterwards. */
  close(): void {
    for (const aead of this.#aeads.values()) aead.close();
    this.#aeads.clear();
  }

  #verify(): NtsRequestKind {
    const request = this.#request, layout = this.#authenticator;
    layout.read(request.bytes, request.authenticator);
    const padding = request.authenticator + request.authenticatorLength - layout.end;
    if (
      padding < 0 || layout.nonceLength === 0 || layout.ciphertextLength < CIPHERTEXT_LENGTH_MIN
    ) {
      return "nts-malformed-authenticator";
    }
    const reason = this.#openCookie();
    if (reason !== undefined) return reason;
    const aead = this.#aead;
    if (aead === undefined) return "nts-nak-bad-cookie";
    if (paddedLength(layout.nonceLength) + padding < aead.parameters.nonceLengthRequired) {
      return "nts-short-nonce";
    }
    return this.#open(aead) ? this.#accept() : "nts-nak-not-authentic";
  }

  /** The context for the algorithm of the cookie that was opened last. */
  get #aead(): Aead | undefined {
    return this.#aeads.get(this.#cookies.aeadId);
  }

  #openCookie(): NtsNakReason | undefined {
    const request = this.#request, range = this.#cookieRange;
    range.offset = request.cookie + FIELD_HEADER_LENGTH;
    range.length = request.cookieLength - FIELD_HEADER_LENGTH;
    const reason = this.#cookies.open(request.bytes, range);
    if (reason === undefined) return undefined;
    return reason === "unknown-key" ? "nts-nak-unknown-key" : "nts-nak-bad-cookie";
  }

  /** Decrypts the authenticator of the request; false when the request is not authentic. */
  #open(aead: Aead): boolean {
    const { bytes, offset, authenticator } = this.#request;
    const operation = this.#operation, layout = this.#authenticator;
    operation.nonce = bytes;
    operation.nonceOffset = layout.nonceOffset;
    operation.nonceLength = layout.nonceLength;
    operation.associatedData = bytes;
    operation.associatedDataOffset = offset;
    operation.associatedDataLength = authenticator - offset;
    operation.input = bytes;
    operation.inputOffset = layout.ciphertextOffset;
    operation.inputLength = layout.ciphertextLength;
    operation.output = this.#plaintext.bytes;
    operation.outputOffset = 0;
    aead.setKey(this.#cookies.plaintext, this.#cookies.clientToServerOffset);
    const length = aead.open(operation);
    this.#plaintext.length = Math.max(0, length);
    return length >= 0;
  }

  /**
   * Counts the cookies that the response may hold: one, and one for every placeholder as long as
   * the cookie (section 5.5).
   */
  #accept(): NtsRequestKind {
    const walk = this.#walk, { cookieLength } = this.#request;
    let placeholders = this.#request.countPlaceholders();
    walk.startPlaintext(this.#plaintext);
    let part = walk.next();
    for (; part === "field"; part = walk.next()) {
      if (walk.type === FIELD_TYPE.ntsCookie || walk.type === FIELD_TYPE.uniqueIdentifier) {
        return "nts-encrypted-cookie";
      }
      if (walk.type === FIELD_TYPE.ntsCookiePlaceholder && walk.length === cookieLength) {
        placeholders++;
      }
    }
    if (part !== "end") return "nts-malformed-encrypted-field";
    this.#cookieCount = 1 + Math.min(placeholders, COOKIE_JAR_SIZE - 1);
    return "protected";
  }

  /** Fills the plaintext with the fields of new cookies; those that were promised are used up. */
  #makeCookies(): void {
    const fieldLength = FIELD_HEADER_LENGTH + cookieLength(this.#cookies.aeadId);
    const { bytes } = this.#plaintext;
    assert(
      fieldLength === this.#request.cookieLength,
      "New cookies are as long as the one that came",
    );
    assert(
      COOKIE_JAR_SIZE * (FIELD_HEADER_LENGTH + OWN_COOKIE_LENGTH_MAX) <= bytes.length,
      "Eight cookies fit",
    );
    let position = 0;
    for (; this.#cookieCount > 0; this.#cookieCount--) {
      bytes[position] = FIELD_TYPE.ntsCookie >>> 8;
      bytes[position + 1] = FIELD_TYPE.ntsCookie & 0xff;
      bytes[position + 2] = fieldLength >>> 8;
      bytes[position + 3] = fieldLength;
      this.#cookies.seal(bytes, position + FIELD_HEADER_LENGTH);
      position += fieldLength;
    }
    this.#plaintext.length = position;
  }

  /** Encrypts the plaintext into the response, whose header lies at `offset`. */
  #seal(response: Bytes, offset: number): void {
    const aead = present(this.#aead, "The algorithm of the request is there");
    const operation = this.#operation, layout = this.#authenticator;
    const { nonceLength, overhead } = aead.parameters;
    layout.nonceLength = nonceLength;
    layout.ciphertextLength = this.#plaintext.length + overhead;
    if (nonceLength === 16) this.#random.write16(response, layout.nonceOffset);
    else this.#random.write12(response, layout.nonceOffset);
    operation.nonce = response;
    operation.nonceOffset = layout.nonceOffset;
    operation.nonceLength = nonceLength;
    operation.associatedData = response;
    operation.associatedDataOffset = offset;
    operation.associatedDataLength = layout.offset - offset;
    operation.input = this.#plaintext.bytes;
    operation.inputOffset = 0;
    operation.inputLength = this.#plaintext.length;
    operation.output = response;
    operation.outputOffset = layout.ciphertextOffset;
    aead.setKey(this.#cookies.plaintext, this.#cookies.serverToClientOffset);
    const length = aead.seal(operation);
    assert(length === layout.ciphertextLength, "A ciphertext is as long as it was laid out");
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
