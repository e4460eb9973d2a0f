/**
 * Extension fields: what may follow the header of an NTPv4 packet (RFC 7822, RFC 9748).
 *
 * Where fields begin and end is found by `packet_walk.ts`; here is what a field is, and how one is
 * written. Limits: what the types mean is for others (Network Time Security in `src/nts/`).
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";

/** The octets of type and length in front of a field's body. */
export const FIELD_HEADER_LENGTH = 4;

/** The shortest field in a packet, header included (RFC 7822 section 7.5.1.1). */
export const FIELD_LENGTH_MIN = 16;

/** The types of Network Time Security (RFC 8915 section 5). */
export const FIELD_TYPE = {
  uniqueIdentifier: 0x0104,
  ntsCookie: 0x0204,
  ntsCookiePlaceholder: 0x0304,
  ntsAuthenticator: 0x0404,
} as const;

/** The shortest unique identifier, in octets without the field's header (RFC 8915 section 5.3). */
export const UNIQUE_IDENTIFIER_LENGTH_MIN = 32;

/** One field. `body` is a view into the packet. */
export interface ExtensionField {
  /** 16 bits; 0xF000 to 0xFFFF are experimental (RFC 9748 section 3). */
  readonly type: number;
  /** Where the field's header begins, from the start of the octets that were walked. */
  readonly offset: number;
  /** The length including header and padding, a multiple of 4. */
  readonly length: number;
  /** The octets after the header, padding included. */
  readonly body: Uint8Array;
}

/**
 * Writes one field as new octets, the body padded with zeros to a multiple of 4, and to the
 * shortest field that a packet may have (RFC 7822 section 7.5).
 */
export function encodeField(type: number, body: Uint8Array): Bytes {
  const length = Math.max(FIELD_LENGTH_MIN, FIELD_HEADER_LENGTH + paddedLength(body.length));
  assert(length <= 0xfffc, "A field's length fits into 16 bits");
  const field = new Uint8Array(length);
  const view = new DataView(field.buffer);
  view.setUint16(0, type);
  view.setUint16(2, length);
  field.set(body, FIELD_HEADER_LENGTH);
  return field;
}

/** Rounds a length up to the multiple of 4 octets that fields are made of. */
export function paddedLength(length: number): number {
  return (length + 3) & ~3;
}
