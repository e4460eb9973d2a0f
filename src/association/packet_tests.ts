/**
 * The tests that a response must pass, by the numbers of RFC 5905 figure 22. Each function returns
 * true when the packet passes.
 *
 * The idea: one small named function for each test, free of state, in the order in which they are
 * made. Test 4 (access) is the sockets' work: they are connected, and take packets from the server
 * alone. Test 5 is in `response.ts`.
 *
 * @module
 */
import { difference, type NtpTimestamp, ZERO_TIMESTAMP } from "../base/ntp_timestamp.ts";
import type { Seconds } from "../base/units.ts";
import type { ExchangeTimestamps } from "./exchange.ts";
import { MODE, NTP_VERSION, type NtpHeader, STRATUM_MAX } from "../protocol/header.ts";
import { LEAP } from "../protocol/leap_indicator.ts";

/** The oldest version of which a response is read. */
const VERSION_MIN = 1;

/** A root distance of this much says nothing any more (RFC 5905 section 7.2, MAXDISP). */
const ROOT_DISTANCE_MAX: Seconds = 16;

/** How far below zero a delay may come out through the grain of a clock that claims to be fine. */
const DELAY_TOLERANCE: Seconds = 1e-4;

/** How far a server may round up the moment at which its clock was set. */
const REFERENCE_TOLERANCE: Seconds = 0.01;

/** The coarsest grain by which a delay may come out below zero: 2^-4 s. */
const PRECISION_MAX = -4;

/** The coarsest grain of a server's own timestamps: whole seconds. */
const STATED_PRECISION_MAX = 0;

/**
 * Test 1: the response is not the last accepted one again (RFC 5905 section 8; both timestamps, RFC
 * 9769 section 2).
 */
export function isNotDuplicate(
  header: NtpHeader,
  last: Pick<NtpHeader, "receiveTimestamp" | "transmitTimestamp"> | undefined,
): boolean {
  return last === undefined || header.transmitTimestamp !== last.transmitTimestamp ||
    header.receiveTimestamp !== last.receiveTimestamp;
}

/**
 * Test 2: the response repeats the random transmit timestamp of the request, so its sender has seen
 * it.
 */
export function hasOrigin(header: NtpHeader, sent: NtpTimestamp): boolean {
  return sent !== ZERO_TIMESTAMP && header.originTimestamp === sent;
}

/** Test 3: the server's own timestamps are there. */
export function hasTimestamps(header: NtpHeader): boolean {
  return header.receiveTimestamp !== ZERO_TIMESTAMP && header.transmitTimestamp !== ZERO_TIMESTAMP;
}

/**
 * Test 3: the response left the server after the request had arrived, but for the grain of its
 * clock as it states it; a time from a wrong era does not pass.
 */
export function isServerTimeForward(exchange: ExchangeTimestamps, precision: number): boolean {
  const held = difference(exchange.transmitTimestamp, exchange.receiveTimestamp);
  return held >= -(2 ** Math.min(precision, STATED_PRECISION_MAX));
}

/**
 * Test 3: the packets were not away for less time than the server held them, but for the grain of
 * its clock.
 */
export function isDelayPlausible(exchange: ExchangeTimestamps, precision: number): boolean {
  const away = difference(exchange.destinationTimestamp, exchange.originTimestamp);
  const held = difference(exchange.transmitTimestamp, exchange.receiveTimestamp);
  const grain = 2 ** Math.min(precision, PRECISION_MAX);
  return away >= 0 && away - held >= -Math.max(DELAY_TOLERANCE, grain);
}

/** Test 6: the server says that it has the time. */
export function isSynchronized(header: NtpHeader): boolean {
  return header.leapIndicator !== LEAP.unknown && header.stratum >= 1 &&
    header.stratum < STRATUM_MAX;
}

/** Test 7: the root distance is below 16 s. */
export function isRootDistanceSane(header: NtpHeader): boolean {
  return header.rootDelay / 2 + header.rootDispersion < ROOT_DISTANCE_MAX;
}

/**
 * Test 7: the server's clock was not set in its own future; a zero means that it does not say. The
 * server may round up the moment of its setting by some milliseconds. The transmit timestamp of an
 * interleaved response is that of the one before, so the later of the two timestamps is the
 * server's present.
 */
export function isReferenceTimeSane(header: NtpHeader): boolean {
  const { referenceTimestamp, receiveTimestamp, transmitTimestamp } = header;
  if (referenceTimestamp === ZERO_TIMESTAMP) return true;
  const present = difference(transmitTimestamp, receiveTimestamp) > 0
    ? transmitTimestamp
    : receiveTimestamp;
  return difference(present, referenceTimestamp) >= -REFERENCE_TOLERANCE;
}

/** The packet is a response to a client (RFC 5905 section 7.3). */
export function isServerMode(header: NtpHeader): boolean {
  return header.mode === MODE.server;
}

/**
 * The version is one whose header we read: a server answers in ours or in the one that it knows,
 * and up to version 4 the fields are the same (RFC 5905 appendix A.5.1; RFC 1059 section 3 for
 * version 1).
 */
export function isKnownVersion(header: NtpHeader): boolean {
  return header.version >= VERSION_MIN && header.version <= NTP_VERSION;
}
