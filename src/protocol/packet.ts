/**
 * A whole packet cut into header, extension fields and authentication trailer.
 *
 * The problem: nothing in NTPv4 says where extension fields end and a MAC begins. The rule that implementations agree on is
 * by length: a rest of 20 to 24 octets is a MAC, a rest of four zero octets is a crypto-NAK, and anything else must be a
 * field (RFC 7822 section 7.5.1.4). The idea: that loop, bounded, with a reason for every refusal. Limits: no digest is
 * checked here; in NTPv3 and older all that follows the header is a MAC.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import {
  type ExtensionField,
  FIELD_COUNT_MAX,
  FIELD_LENGTH_MIN,
  type FieldProblem,
  LAST_FIELD_LENGTH_MIN,
  readField,
} from "./extension_field.ts";
import { decodeHeader, HEADER_LENGTH, type HeaderProblem, type NtpHeader } from "./header.ts";

/** The longest packet that is looked at. Network Time Security keeps to 1280; nothing that we talk to is longer. */
export const PACKET_LENGTH_MAX = 2048;

/** The octets of a key identifier with a digest of 16 octets. */
export const MAC_LENGTH_MIN = 20;

/** The octets of a key identifier with a digest of 20 octets, the longest in NTPv4. */
export const MAC_LENGTH_MAX = 24;

/** The longest trailer of an NTPv3 packet that anyone sends (MS-SNTP). */
export const V3_MAC_LENGTH_MAX = 72;

/** What closes a packet. `offset` is where it begins; the digest is a view into the packet. */
export type Trailer =
  | { readonly kind: "none" }
  | {
    readonly kind: "mac";
    readonly offset: number;
    readonly keyId: number;
    readonly digest: Uint8Array;
  }
  | { readonly kind: "crypto-nak"; readonly offset: number };

/** A packet in its parts. */
export interface Packet {
  /** The first 48 octets. */
  readonly header: NtpHeader;
  /** The extension fields in their order; none before NTPv4. */
  readonly fields: readonly ExtensionField[];
  /** What follows them. */
  readonly trailer: Trailer;
}

/** Why octets are not a packet. */
export type PacketProblem = HeaderProblem | FieldProblem | "too-long" | "mac-length";

/** Cuts a packet into its parts; never throws, whatever the octets (RFC 5905 section 7.3, RFC 7822 section 7.5). */
export function decodePacket(octets: Uint8Array): Result<Packet, PacketProblem> {
  if (octets.length > PACKET_LENGTH_MAX) return err("too-long");
  const header = decodeHeader(octets);
  if (!header.ok) return header;
  const rest = header.value.version <= 3 ? readV3Trailer(octets) : readFieldsAndTrailer(octets);
  return rest.ok ? ok({ header: header.value, ...rest.value }) : rest;
}

type Rest = Omit<Packet, "header">;

function readFieldsAndTrailer(octets: Uint8Array): Result<Rest, PacketProblem> {
  const end = octets.length;
  const fields: ExtensionField[] = [];
  let offset = HEADER_LENGTH;
  while (offset < end) {
    const remainder = end - offset;
    if (remainder >= MAC_LENGTH_MIN && remainder <= MAC_LENGTH_MAX) {
      if (remainder % 4 !== 0) return err("mac-length");
      return ok({ fields, trailer: readMac(octets, offset) });
    }
    if (isCryptoNak(octets, offset)) return ok({ fields, trailer: { kind: "crypto-nak", offset } });
    if (fields.length === FIELD_COUNT_MAX) return err("too-many-fields");
    const field = readField(octets, { offset, end, lengthMin: FIELD_LENGTH_MIN });
    if (!field.ok) return field;
    fields.push(field.value);
    offset += field.value.length;
    // RFC 7822 section 7.5.1.4: without a MAC a short last field could be taken for one
    if (offset === end && field.value.length < LAST_FIELD_LENGTH_MIN) return err("field-too-short");
  }
  return ok({ fields, trailer: { kind: "none" } });
}

function readV3Trailer(octets: Uint8Array): Result<Rest, PacketProblem> {
  const remainder = octets.length - HEADER_LENGTH;
  if (remainder === 0) return ok({ fields: [], trailer: { kind: "none" } });
  if (isCryptoNak(octets, HEADER_LENGTH)) {
    return ok({ fields: [], trailer: { kind: "crypto-nak", offset: HEADER_LENGTH } });
  }
  if (remainder < MAC_LENGTH_MIN || remainder > V3_MAC_LENGTH_MAX || remainder % 4 !== 0) {
    return err("mac-length");
  }
  return ok({ fields: [], trailer: readMac(octets, HEADER_LENGTH) });
}

function readMac(octets: Uint8Array, offset: number): Trailer {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  return {
    kind: "mac",
    offset,
    keyId: view.getUint32(offset),
    digest: octets.subarray(offset + 4),
  };
}

function isCryptoNak(octets: Uint8Array, offset: number): boolean {
  return octets.length - offset === 4 && octets.subarray(offset).every((octet) => octet === 0);
}
