/**
 * The requests of a client: as little as the protocol allows.
 *
 * The problem: a request that carries the client's clock, stratum and reference tells strangers
 * what to attack and whom they see. The idea (draft-ietf-ntp-data-minimization): all fields are
 * constant but the transmit timestamp, which is 64 random bits that the response must repeat; when
 * the request really left is remembered, not sent. Limits: with interleaved mode the origin and
 * receive timestamps are used too (RFC 9769 section 2), the latter also random.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { type NtpTimestamp, ntpTimestamp, ZERO_TIMESTAMP } from "../base/ntp_timestamp.ts";
import { type RandomSource, randomUint64 } from "../base/random.ts";
import type { MonotonicSeconds } from "../base/units.ts";
import type { PacketProtection } from "./protection.ts";
import { emptyHeader, encodeHeader, MODE, NTP_VERSION } from "../protocol/header.ts";

/** What minimising clients send as precision, so that they look alike. */
const MINIMAL_PRECISION = 0x20;

/** The random numbers of a request, one of which its response repeats. */
export interface RequestNumbers {
  /** The transmit timestamp, which a basic response repeats. */
  readonly transmitTimestamp: NtpTimestamp;
  /** The receive timestamp, which an interleaved response repeats; zero when none is asked for. */
  readonly receiveTimestamp: NtpTimestamp;
}

/** What the response to a request must match. */
export interface ExpectedResponse extends RequestNumbers {
  /** What the protection wants repeated. */
  readonly uniqueIdentifier: Bytes;
  /** What verifies the response; undefined where packets are plain. */
  readonly protection: PacketProtection | undefined;
}

/** A request that waits for its response. */
export interface PendingRequest extends ExpectedResponse {
  /** Its number. */
  readonly id: number;
  /** From when on no response is awaited. */
  readonly expiresAt: MonotonicSeconds;
}

/** A request that is ready to be sent. */
export interface MadeRequest {
  /** The whole packet. */
  readonly packet: Bytes;
  /** What its response must match. */
  readonly expected: ExpectedResponse;
}

/** The header of a request, and the random numbers in it. */
export interface RequestHeader extends RequestNumbers {
  /** 48 octets. */
  readonly octets: Bytes;
}

/**
 * Makes a request's header. With `interleavedOrigin`, the server's last receive timestamp, it asks
 * for an interleaved response; otherwise for a basic one.
 */
export function makeRequestHeader(
  random: RandomSource,
  interleavedOrigin: NtpTimestamp = ZERO_TIMESTAMP,
): RequestHeader {
  const transmitTimestamp = randomTimestamp(random, ZERO_TIMESTAMP);
  const receiveTimestamp = interleavedOrigin === ZERO_TIMESTAMP
    ? ZERO_TIMESTAMP
    : randomTimestamp(random, transmitTimestamp);
  const octets = encodeHeader({
    ...emptyHeader(NTP_VERSION, MODE.client),
    precision: MINIMAL_PRECISION,
    originTimestamp: interleavedOrigin,
    receiveTimestamp,
    transmitTimestamp,
  });
  return { octets, transmitTimestamp, receiveTimestamp };
}

/**
 * Makes a request and protects it; undefined when the protection cannot do so (no cookies left).
 */
export function makeRequest(options: {
  readonly random: RandomSource;
  readonly protection: PacketProtection | undefined;
  /** As for `makeRequestHeader`. */
  readonly interleavedOrigin: NtpTimestamp | undefined;
}): MadeRequest | undefined {
  const { random, protection, interleavedOrigin } = options;
  const { octets, ...numbers } = makeRequestHeader(random, interleavedOrigin);
  if (protection === undefined) {
    const uniqueIdentifier = new Uint8Array(0);
    return { packet: octets, expected: { ...numbers, uniqueIdentifier, protection } };
  }
  const made = protection.protect(octets, random);
  if (!made.ok) return undefined;
  const { packet, uniqueIdentifier } = made.value;
  return { packet, expected: { ...numbers, uniqueIdentifier, protection } };
}

/** Draws 64 bits that are neither zero, which means "none", nor equal to `other`. */
function randomTimestamp(random: RandomSource, other: NtpTimestamp): NtpTimestamp {
  const drawn = ntpTimestamp(randomUint64(random));
  if (drawn !== ZERO_TIMESTAMP && drawn !== other) return drawn;
  return ntpTimestamp(other ^ 1n) === ZERO_TIMESTAMP ? ntpTimestamp(2n) : ntpTimestamp(other ^ 1n);
}
