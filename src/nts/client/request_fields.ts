/**
 * The client's requests under Network Time Security (RFC 8915 section 5.7): header, unique
 * identifier, cookie, placeholders, authenticator.
 *
 * Limits: a request is at most 1280 octets, so that no path fragments it; placeholders are left
 * out first.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { type Bytes, concatBytes } from "../../base/bytes.ts";
import { randomBytes, type RandomSource } from "../../base/random.ts";
import { type Aead, sealBytes } from "../../crypto/aead.ts";
import {
  encodeField,
  FIELD_HEADER_LENGTH,
  FIELD_TYPE,
  UNIQUE_IDENTIFIER_LENGTH_MIN,
} from "../../protocol/extension_field.ts";
import { HEADER_LENGTH } from "../../protocol/header.ts";
import { AuthenticatorLayout, encodeAuthenticator } from "../authenticator.ts";
import { COOKIE_JAR_SIZE, isUsableCookie } from "../key_exchange/cookies.ts";

/** The longest request with Network Time Security (RFC 8915 section 5.7). */
const REQUEST_LENGTH_MAX = 1280;

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

/** A request that is ready to be sent. */
export interface ProtectedRequest {
  /** The header with what was added to it. */
  readonly packet: Bytes;
  /** What the response must repeat; empty when the protection needs no such thing. */
  readonly uniqueIdentifier: Bytes;
}

/** Builds a request with a fresh unique identifier and nonce (RFC 8915 sections 5.3 to 5.7). */
export function buildRequest(parts: RequestParts, random: RandomSource): ProtectedRequest {
  assert(parts.header.length === HEADER_LENGTH, "A request starts with a header of 48 octets");
  assert(isUsableCookie(parts.cookie), "A cookie has a length that fits an extension field");
  assert(
    parts.placeholders >= 0 && parts.placeholders < COOKIE_JAR_SIZE,
    "A request has up to seven placeholders",
  );
  const { header, cookie, aead } = parts;
  const uniqueIdentifier = randomBytes(random, UNIQUE_IDENTIFIER_LENGTH_MIN);
  const nonce = randomBytes(random, aead.parameters.nonceLength);
  const associatedData = concatBytes(
    header,
    encodeField(FIELD_TYPE.uniqueIdentifier, uniqueIdentifier),
    encodeField(FIELD_TYPE.ntsCookie, cookie),
    ...placeholderFields(parts),
  );
  const ciphertext = sealBytes(aead, { nonce, associatedData, plaintext: new Uint8Array(0) });
  const packet = concatBytes(associatedData, encodeAuthenticator({ nonce, ciphertext }));
  assert(packet.length <= REQUEST_LENGTH_MAX, "A request is at most 1280 octets");
  return { packet, uniqueIdentifier };
}

/** Makes the placeholders that are wanted, as far as there is room for them. */
function placeholderFields({ cookie, placeholders, aead }: RequestParts): readonly Bytes[] {
  const authenticator = new AuthenticatorLayout();
  authenticator.nonceLength = aead.parameters.nonceLength;
  authenticator.ciphertextLength = aead.parameters.overhead;
  const fieldLength = FIELD_HEADER_LENGTH + cookie.length;
  const fixed = HEADER_LENGTH + FIELD_HEADER_LENGTH + UNIQUE_IDENTIFIER_LENGTH_MIN + fieldLength +
    authenticator.end;
  const room = Math.floor((REQUEST_LENGTH_MAX - fixed) / fieldLength);
  const field = encodeField(FIELD_TYPE.ntsCookiePlaceholder, new Uint8Array(cookie.length));
  return Array.from({ length: Math.min(placeholders, room) }, () => field);
}
