/**
 * Extension fields: what may follow the header of an NTPv4 packet (RFC 7822, RFC 9748).
 *
 * The idea: one walk over a range of octets that gives type and place of each field and copies
 * nothing. A field that does not fit is a reason to refuse the packet; none is skipped silently.
 * Limits: at most `FIELD_COUNT_MAX` fields; what the types mean is for others (Network Time
 * Security in nts/).
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";

/** The octets of type and length in front of a field's body. */
export const FIELD_HEADER_LENGTH = 4;

/** The shortest field in a packet, header included (RFC 7822 section 7.5.1.1). */
export const FIELD_LENGTH_MIN = 16;

/** The shortest last field of a packet that carries no MAC (RFC 7822 section 7.5.1.4). */
export const LAST_FIELD_LENGTH_MIN = 28;

/** How many fields of a packet are looked at; a request that fills the cookie jar has ten. */
export const FIELD_COUNT_MAX = 32;

/** The types of Network Time Security (RFC 8915 section 5). */
export const FIELD_TYPE = {
  uniqueIdentifier: 0x0104,
  ntsCookie: 0x0204,
  ntsCookiePlaceholder: 0x0304,
  ntsAuthenticator: 0x0404,
} as const;

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

/** Why octets are not extension fields. */
export type FieldProblem =
  | "field-truncated"
  | "field-overrun"
  | "field-length"
  | "field-too-short"
  | "too-many-fields";

/** Reads the field that begins at `offset` and must end at or before `end`. */
function readField(
  octets: Uint8Array,
  range: { readonly offset: number; readonly end: number; readonly lengthMin: number },
): Result<ExtensionField, FieldProblem> {
  const { offset, end } = range;
  assert(offset >= 0 && end <= octets.length, "A field is read inside its octets");
  if (end - offset < FIELD_HEADER_LENGTH) return err("field-truncated");
  const type = word(octets, offset);
  const length = word(octets, offset + 2);
  if (length % 4 !== 0) return err("field-length");
  if (length < range.lengthMin || length < FIELD_HEADER_LENGTH) return err("field-too-short");
  if (length > end - offset) return err("field-overrun");
  const body = octets.subarray(offset + FIELD_HEADER_LENGTH, offset + length);
  return ok({ type, offset, length, body });
}

/**
 * Reads octets that hold extension fields and nothing else, such as the plaintext of an
 * authenticator, where fields may be as short as their header (RFC 8915 section 5.6).
 */
export function readFields(
  octets: Uint8Array,
  lengthMin: number,
): Result<readonly ExtensionField[], FieldProblem> {
  const fields: ExtensionField[] = [];
  let offset = 0;
  while (offset < octets.length) {
    if (fields.length === FIELD_COUNT_MAX) return err("too-many-fields");
    const field = readField(octets, { offset, end: octets.length, lengthMin });
    if (!field.ok) return field;
    fields.push(field.value);
    offset += field.value.length;
  }
  return ok(fields);
}

/**
 * Writes one field as new octets, the body padded with zeros to a multiple of 4 and to `lengthMin`
 * octets in all (RFC 7822 section 7.5).
 */
export function encodeField(
  type: number,
  body: Uint8Array,
  lengthMin: number = FIELD_LENGTH_MIN,
): Bytes {
  const length = Math.max(lengthMin, FIELD_HEADER_LENGTH + Math.ceil(body.length / 4) * 4);
  assert(length % 4 === 0 && length <= 0xfffc, "A field's length is a multiple of 4 in 16 bits");
  const field = new Uint8Array(length);
  const view = new DataView(field.buffer);
  view.setUint16(0, type);
  view.setUint16(2, length);
  field.set(body, FIELD_HEADER_LENGTH);
  return field;
}

function word(octets: Uint8Array, offset: number): number {
  return ((octets[offset] ?? 0) << 8) | (octets[offset + 1] ?? 0);
}
