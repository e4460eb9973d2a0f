/**
 * The NTP packet header: 48 octets, the same in versions 3 and 4 (RFC 5905 section 7.3).
 *
 * The idea: the header is plain data with the numbers as the wire has them; what they mean is
 * judged elsewhere. Any 48 octets are some header, so decoding fails on length alone. Limits: other
 * versions are decoded by the same layout and say so in `version`; NTPv5 would need another.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { type NtpTimestamp, ntpTimestamp, ZERO_TIMESTAMP } from "../base/ntp_timestamp.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Seconds } from "../base/units.ts";
import { LEAP } from "./leap_indicator.ts";
import { decodeShort, encodeShort } from "./short_format.ts";

/** The octets of a header. */
export const HEADER_LENGTH = 48;

/** The version of NTP that has extension fields, and the one that we speak (RFC 5905). */
export const NTP_VERSION = 4;

/** The association modes that matter here (RFC 5905 figure 10). */
export const MODE = {
  symmetricActive: 1,
  symmetricPassive: 2,
  client: 3,
  server: 4,
  broadcast: 5,
  control: 6,
  private: 7,
} as const;

/**
 * The stratum that means "unsynchronised" in our tables; on the wire it is 0 (RFC 5905 section
 * 7.3).
 */
export const STRATUM_MAX = 16;

/** The fields of a header. */
export interface NtpHeader {
  /** 0 to 3, see `leap_indicator.ts`. */
  readonly leapIndicator: number;
  /** 0 to 7. */
  readonly version: number;
  /** 0 to 7, see `MODE`. */
  readonly mode: number;
  /** 0 to 255; 0 is a kiss or an unsynchronised server. */
  readonly stratum: number;
  /** The poll exponent, -128 to 127. */
  readonly poll: number;
  /** The precision as an exponent of two seconds, -128 to 127. */
  readonly precision: number;
  /** The round-trip delay to the reference clock. */
  readonly rootDelay: Seconds;
  /** The dispersion to the reference clock. */
  readonly rootDispersion: Seconds;
  /** 32 bits whose meaning depends on the stratum, see `reference_id.ts`. */
  readonly referenceId: number;
  /** When the sender's clock was last set. */
  readonly referenceTimestamp: NtpTimestamp;
  /**
   * A response repeats the transmit timestamp of its request here (in interleaved mode, its receive
   * timestamp).
   */
  readonly originTimestamp: NtpTimestamp;
  /** When the request arrived, by the sender's clock. */
  readonly receiveTimestamp: NtpTimestamp;
  /** When the packet left, by the sender's clock; a minimising client's is random. */
  readonly transmitTimestamp: NtpTimestamp;
}

/** Why octets are not a header. */
export type HeaderReason = "too-short";

/**
 * A header of which all fields are zero but the version and the mode: where requests and tests
 * begin.
 */
export function emptyHeader(version: number, mode: number): NtpHeader {
  return {
    leapIndicator: LEAP.none,
    version,
    mode,
    stratum: 0,
    poll: 0,
    precision: 0,
    rootDelay: 0,
    rootDispersion: 0,
    referenceId: 0,
    referenceTimestamp: ZERO_TIMESTAMP,
    originTimestamp: ZERO_TIMESTAMP,
    receiveTimestamp: ZERO_TIMESTAMP,
    transmitTimestamp: ZERO_TIMESTAMP,
  };
}

/** Reads the first 48 octets; fails only when there are fewer (RFC 5905 section 7.3). */
export function decodeHeader(packet: Uint8Array): Result<NtpHeader, HeaderReason> {
  if (packet.length < HEADER_LENGTH) return err("too-short");
  const view = new DataView(packet.buffer, packet.byteOffset, HEADER_LENGTH);
  const first = view.getUint8(0);
  return ok({
    leapIndicator: first >>> 6,
    version: (first >>> 3) & 7,
    mode: first & 7,
    stratum: view.getUint8(1),
    poll: view.getInt8(2),
    precision: view.getInt8(3),
    rootDelay: decodeShort(view.getUint32(4)),
    rootDispersion: decodeShort(view.getUint32(8)),
    referenceId: view.getUint32(12),
    referenceTimestamp: ntpTimestamp(view.getBigUint64(16)),
    originTimestamp: ntpTimestamp(view.getBigUint64(24)),
    receiveTimestamp: ntpTimestamp(view.getBigUint64(32)),
    transmitTimestamp: ntpTimestamp(view.getBigUint64(40)),
  });
}

/**
 * Writes a header as 48 new octets. Numbers are cut to the width of their fields; root delay and
 * root dispersion are rounded up (RFC 5905 section 7.3).
 */
export function encodeHeader(header: NtpHeader): Bytes {
  const packet = new Uint8Array(HEADER_LENGTH);
  const view = new DataView(packet.buffer);
  view.setUint8(
    0,
    ((header.leapIndicator & 3) << 6) | ((header.version & 7) << 3) | (header.mode & 7),
  );
  view.setUint8(1, header.stratum);
  view.setInt8(2, header.poll);
  view.setInt8(3, header.precision);
  view.setUint32(4, encodeShort(header.rootDelay));
  view.setUint32(8, encodeShort(header.rootDispersion));
  view.setUint32(12, header.referenceId);
  view.setBigUint64(16, header.referenceTimestamp);
  view.setBigUint64(24, header.originTimestamp);
  view.setBigUint64(32, header.receiveTimestamp);
  view.setBigUint64(40, header.transmitTimestamp);
  return packet;
}
