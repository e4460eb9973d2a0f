/**
 * The client's requests under Network Time Security (RFC 8915 section 5.7): header, unique
 * identifier, cookie, placeholders, authenticator.
 *
 * Limits: a request is at most 1280 octets, so that no path fragments it; placeholders give way
 * first.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { type Bytes, concatBytes } from "../../base/bytes.ts";
import { randomBytes, type RandomSource } from "../../base/random.ts";
import { type Aead, sealBytes } from "../../crypto/aead.ts";
import { encodeField, FIELD_HEADER_LENGTH, FIELD_TYPE } from "../../protocol/extension_field.ts";
import { HEADER_LENGTH } from "../../protocol/header.ts";
import { isUsableCookie } from "../key_exchange/cookies.ts";

/** The longest request with Network Time Security (RFC 8915 section 5.7). */
export const REQUEST_LENGTH_MAX = 1280;

/**
 * How many octets of unique identifier we send (RFC 8915 section 5.3 asks for at least this many).
 */
const UNIQUE_IDENTIFIER_LENGTH = 32;

/** What goes into a request. */
export interface RequestParts {
  /** The header, 48 octets. */
  readonly header: Bytes;
  /** A cookie that was never sent. */
  readonly cookie: Bytes;
  /** How many more cookies are wanted, 0 to 7. */
  readonly placeholders: number;
  /** The algorithm with the client-to-server key. */
  readonly aead: Aead;
}

/** A request and what its response must echo. */
export interface ProtectedRequest {
  /** The whole packet. */
  readonly packet: Bytes;
  /** The random octets that the response repeats. */
  readonly uniqueIdentifier: Bytes;
}

/** Builds a request with a fresh unique identifier and nonce (RFC 8915 sections 5.3 to 5.7). */
export function buildRequest(parts: RequestParts, random: RandomSource): ProtectedRequest {
  assert(parts.header.length === HEADER_LENGTH, "A request starts with a header of 48 octets");
  assert(isUsableCookie(parts.cookie), "A cookie has a length that fits an extension field");
  assert(
    parts.placeholders >= 0 && parts.placeholders <= 7,
    "A request has up to seven placeholders",
  );
  const uniqueIdentifier = randomBytes(random, UNIQUE_IDENTIFIER_LENGTH);
  const nonce = randomBytes(random, parts.aead.parameters.nonceLength);
  const authenticatorLength = FIELD_HEADER_LENGTH + 4 + padded(nonce.length) +
    padded(parts.aead.parameters.overhead);
  const fieldLength = FIELD_HEADER_LENGTH + parts.cookie.length;
  const fixed = HEADER_LENGTH + FIELD_HEADER_LENGTH + UNIQUE_IDENTIFIER_LENGTH + fieldLength +
    authenticatorLength;
  const room = Math.floor((REQUEST_LENGTH_MAX - fixed) / fieldLength);
  const placeholder = encodeField(
    FIELD_TYPE.ntsCookiePlaceholder,
    new Uint8Array(parts.cookie.length),
  );
  const associatedData = concatBytes(
    parts.header,
    encodeField(FIELD_TYPE.uniqueIdentifier, uniqueIdentifier),
    encodeField(FIELD_TYPE.ntsCookie, parts.cookie),
    ...Array.from({ length: Math.min(parts.placeholders, room) }, () => placeholder),
  );
  const ciphertext = sealBytes(parts.aead, {
    nonce,
    associatedData,
    plaintext: new Uint8Array(0),
  });
  const packet = concatBytes(associatedData, encodeAuthenticator({ nonce, ciphertext }));
  assert(packet.length <= REQUEST_LENGTH_MAX, "A request is at most 1280 octets");
  return { packet, uniqueIdentifier };
}

/**
 * Encodes an authenticator field; our nonces need no additional padding (RFC 8915 section 5.6,
 * figure 4).
 */
export function encodeAuthenticator(
  parts: { readonly nonce: Bytes; readonly ciphertext: Bytes },
): Bytes {
  const { nonce, ciphertext } = parts;
  const body = new Uint8Array(4 + padded(nonce.length) + padded(ciphertext.length));
  const view = new DataView(body.buffer);
  view.setUint16(0, nonce.length);
  view.setUint16(2, ciphertext.length);
  body.set(nonce, 4);
  body.set(ciphertext, 4 + padded(nonce.length));
  return encodeField(FIELD_TYPE.ntsAuthenticator, body);
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
