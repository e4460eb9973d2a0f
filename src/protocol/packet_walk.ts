/**
 * What follows the header of a packet, part by part: the one description of that format, for all
 * who read packets.
 *
 * The problem: nothing in NTPv4 says where extension fields end and a MAC begins. The rule that
 * implementations agree on is by length: a rest of 20 to 24 octets is a MAC, a rest of four zero
 * octets is a crypto-NAK, and anything else must be a field (RFC 7822 section 7.5.1.4). In NTPv3
 * and older all that follows the header is a MAC, of whatever length its digest has (RFC 1305
 * appendix C: 12; chrony: up to 68 with SHA-512; MS-SNTP: 72). The idea: one walk that allocates
 * nothing, so that the response path of the server and the decoder share it. A field that does not
 * fit is a reason to refuse the packet; none is skipped silently. Limits: at most `FIELD_COUNT_MAX`
 * fields; no digest is checked here.
 *
 * @module
 */
import type { ByteRange } from "../base/bytes.ts";
import { FIELD_HEADER_LENGTH, FIELD_LENGTH_MIN } from "./extension_field.ts";
import { HEADER_LENGTH, NTP_VERSION } from "./header.ts";

/** How many fields are looked at; a request that fills the cookie jar has ten. */
const FIELD_COUNT_MAX = 32;
/** The shortest last field of a packet that carries no MAC (RFC 7822 section 7.5.1.4). */
const LAST_FIELD_LENGTH_MIN = 28;
/** The octets of a key identifier with a digest of 16 octets. */
const MAC_LENGTH_MIN = 20;
/** The octets of a key identifier with a digest of 20 octets, the longest in NTPv4. */
const MAC_LENGTH_MAX = 24;
/** The octets of a key identifier with the DES checksum of RFC 1305. */
const DES_MAC_LENGTH = 12;
/** The longest trailer of an NTPv3 packet that anyone sends (MS-SNTP). */
const VERSION_3_MAC_LENGTH_MAX = 72;
const CRYPTO_NAK_LENGTH = 4;

/** Why what follows a header is no packet's rest, or why octets are not fields. */
export type WalkReason =
  | "field-truncated"
  | "field-overrun"
  | "field-length"
  | "field-too-short"
  | "too-many-fields"
  | "mac-length";

/** One part of a packet, or its end, or why it is none. */
export type PacketPart = "field" | "mac" | "crypto-nak" | "end" | WalkReason;

/** Walks over the parts of one packet after another. */
export class PacketWalk {
  /** The type of the field that was found last. */
  type = 0;
  /** Where the part that was found last begins in the buffer. */
  at = 0;
  /** The octets of that part, its own header or key identifier included. */
  length = 0;
  #bytes: Uint8Array = new Uint8Array();
  #end = 0;
  #count = 0;
  #hasFields = true;
  #isPlaintext = false;

  /** Begins behind the header of a packet of the given version, of at least 48 octets. */
  start(packet: ByteRange<Uint8Array>, version: number): void {
    this.#begin(packet);
    this.#hasFields = version >= NTP_VERSION;
    this.#isPlaintext = false;
    this.at += HEADER_LENGTH;
  }

  /**
   * Begins a range that holds fields and nothing else: the plaintext of an authenticator, in which
   * fields may be as short as their header (RFC 8915 section 5.6).
   */
  startPlaintext(plaintext: ByteRange<Uint8Array>): void {
    this.#begin(plaintext);
    this.#isPlaintext = true;
  }

  /** Goes to the next part. Not to be called again after anything but a field. */
  next(): PacketPart {
    const isAfterField = this.#count > 0;
    this.at += this.length;
    const rest = this.#end - this.at;
    if (this.#isPlaintext) return rest === 0 ? "end" : this.#field(rest);
    if (rest === 0) {
      // RFC 7822 section 7.5.1.4: without a MAC a short last field could be taken for one
      return isAfterField && this.length < LAST_FIELD_LENGTH_MIN ? "field-too-short" : "end";
    }
    if (rest === CRYPTO_NAK_LENGTH && this.#isZero()) return this.#found("crypto-nak", rest);
    if (!this.#hasFields) {
      return isVersion3MacLength(rest) ? this.#found("mac", rest) : "mac-length";
    }
    if (rest < MAC_LENGTH_MIN || rest > MAC_LENGTH_MAX) return this.#field(rest);
    return rest % 4 === 0 ? this.#found("mac", rest) : "mac-length";
  }

  #begin({ bytes, offset, length }: ByteRange<Uint8Array>): void {
    this.#bytes = bytes;
    this.#end = offset + length;
    this.#count = 0;
    this.at = offset;
    this.length = 0;
  }

  #field(rest: number): PacketPart {
    if (this.#count === FIELD_COUNT_MAX) return "too-many-fields";
    if (rest < FIELD_HEADER_LENGTH) return "field-truncated";
    const length = this.#word(this.at + 2);
    if (length % 4 !== 0) return "field-length";
    const lengthMin = this.#isPlaintext ? FIELD_HEADER_LENGTH : FIELD_LENGTH_MIN;
    if (length < lengthMin) return "field-too-short";
    if (length > rest) return "field-overrun";
    this.type = this.#word(this.at);
    this.#count++;
    return this.#found("field", length);
  }

  #found(part: PacketPart, length: number): PacketPart {
    this.length = length;
    return part;
  }

  #word(at: number): number {
    return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0);
  }

  #isZero(): boolean {
    return this.#word(this.at) === 0 && this.#word(this.at + 2) === 0;
  }
}

function isVersion3MacLength(rest: number): boolean {
  if (rest === DES_MAC_LENGTH) return true;
  return rest >= MAC_LENGTH_MIN && rest <= VERSION_3_MAC_LENGTH_MAX && rest % 4 === 0;
}
