/**
 * Packets and fields as data, for those who may allocate: a whole packet cut into header, extension
 * fields and authentication trailer, or fields alone.
 *
 * What stands where is the matter of `packet_walk.ts`; here it becomes data. Limits: no digest is
 * checked here.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import { type ExtensionField, FIELD_HEADER_LENGTH } from "./extension_field.ts";
import { decodeHeader, type HeaderReason, type NtpHeader } from "./header.ts";
import { type PacketPart, PacketWalk, type WalkReason } from "./packet_walk.ts";

/**
 * The longest packet that is looked at. Network Time Security keeps to 1280; nothing that we talk
 * to is longer.
 */
export const PACKET_LENGTH_MAX = 2048;

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
export type PacketReason = HeaderReason | WalkReason | "too-long";

/**
 * Cuts a packet into its parts; never throws, whatever the octets (RFC 5905 section 7.3, RFC 7822
 * section 7.5).
 */
export function decodePacket(octets: Uint8Array): Result<Packet, PacketReason> {
  if (octets.length > PACKET_LENGTH_MAX) return err("too-long");
  const decoded = decodeHeader(octets);
  if (!decoded.ok) return decoded;
  const header = decoded.value;
  const walk = new PacketWalk();
  walk.start({ bytes: octets, offset: 0, length: octets.length }, header.version);
  const fields: ExtensionField[] = [];
  let part = walk.next();
  for (; part === "field"; part = walk.next()) fields.push(fieldAt(octets, walk));
  if (part === "mac") return ok({ header, fields, trailer: macAt(octets, walk.at) });
  if (part === "crypto-nak") {
    return ok({ header, fields, trailer: { kind: "crypto-nak", offset: walk.at } });
  }
  return part === "end" ? ok({ header, fields, trailer: { kind: "none" } }) : err(part);
}

/**
 * Reads octets that hold fields and nothing else, as the plaintext of an authenticator does; they
 * may be as short as their header (RFC 8915 section 5.6).
 */
export function readFields(
  octets: Uint8Array,
): Result<readonly ExtensionField[], Exclude<PacketPart, "field" | "end">> {
  const walk = new PacketWalk();
  walk.startPlaintext({ bytes: octets, offset: 0, length: octets.length });
  const fields: ExtensionField[] = [];
  let part = walk.next();
  for (; part === "field"; part = walk.next()) fields.push(fieldAt(octets, walk));
  return part === "end" ? ok(fields) : err(part);
}

/** Returns the field that a walk over the octets has found, its body as a view into them. */
export function fieldAt(octets: Uint8Array, { type, at, length }: PacketWalk): ExtensionField {
  const body = octets.subarray(at + FIELD_HEADER_LENGTH, at + length);
  return { type, offset: at, length, body };
}

function macAt(octets: Uint8Array, offset: number): Trailer {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  return {
    kind: "mac",
    offset,
    keyId: view.getUint32(offset),
    digest: octets.subarray(offset + 4),
  };
}
