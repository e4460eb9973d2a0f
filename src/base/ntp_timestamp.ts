/**
 * The 64-bit NTP timestamp (RFC 5905 section 6): 32 bits of seconds in an era, 32 bits of fraction,
 * as one `bigint`.
 *
 * The idea: timestamps are compared and subtracted modulo 2^64, so the era wrap of 2036 falls out
 * of the arithmetic; only differences become doubles. Limits: a difference is right while the two
 * times are within 68 years, and exact to the nanosecond while they are within 2^21 seconds (24
 * days).
 *
 * @module
 */
import { floorDivide } from "./floor_divide.ts";
import { UNIX_EPOCH_IN_NTP_SECONDS } from "./epoch.ts";
import { NANOSECONDS_PER_SECOND, type Seconds } from "./units.ts";

/** A mark that only this file can give. */
declare const brand: unique symbol;

/**
 * An NTP timestamp: an unsigned 64-bit fixed-point number, 32 bits of seconds and 32 of fraction,
 * era left out.
 */
export type NtpTimestamp = bigint & { readonly [brand]: "NtpTimestamp" };

/**
 * Nanoseconds since 1970-01-01T00:00:00Z without leap seconds, as the kernel's real-time clock
 * gives it.
 */
export type UnixNanoseconds = bigint;

/** Units of the fraction of a timestamp in a second. */
export const TWO_POW_32 = 2 ** 32;

const UNIX_EPOCH_NANOSECONDS = BigInt(UNIX_EPOCH_IN_NTP_SECONDS) * NANOSECONDS_PER_SECOND;

/** The timestamp that means "unknown" on the wire (RFC 5905 section 6). */
export const ZERO_TIMESTAMP = 0n as NtpTimestamp;

/** Takes the low 64 bits of a number as a timestamp. */
export function ntpTimestamp(bits: bigint): NtpTimestamp {
  return BigInt.asUintN(64, bits) as NtpTimestamp;
}

/** Converts kernel time to a timestamp, rounding down; any era. */
export function fromUnixNanoseconds(time: UnixNanoseconds): NtpTimestamp {
  const shifted = (time + UNIX_EPOCH_NANOSECONDS) << 32n;
  return ntpTimestamp(floorDivide(shifted, NANOSECONDS_PER_SECOND));
}

/**
 * Converts a timestamp to kernel time, rounding to the nearest nanosecond (so that a round trip
 * through `fromUnixNanoseconds` is exact), in the era that brings it nearest to `near`.
 */
export function toUnixNanoseconds(timestamp: NtpTimestamp, near: UnixNanoseconds): UnixNanoseconds {
  const reference = floorDivide(
    (near + UNIX_EPOCH_NANOSECONDS) << 32n,
    NANOSECONDS_PER_SECOND,
  );
  const delta = BigInt.asIntN(64, timestamp - reference);
  const total = (reference + delta) * NANOSECONDS_PER_SECOND;
  return ((total + (1n << 31n)) >> 32n) - UNIX_EPOCH_NANOSECONDS;
}

/** Returns `a - b` in seconds, positive when `a` is later; modulo the era. */
export function difference(a: NtpTimestamp, b: NtpTimestamp): Seconds {
  const delta = BigInt.asIntN(64, a - b);
  return Number(delta >> 32n) + Number(delta & 0xffff_ffffn) / TWO_POW_32;
}

/**
 * Returns the timestamp that lies `seconds` after `timestamp` (before it, when negative), to the
 * nearest 2^-32 s.
 */
export function addSeconds(timestamp: NtpTimestamp, seconds: Seconds): NtpTimestamp {
  const whole = Math.floor(seconds);
  const fraction = Math.round((seconds - whole) * TWO_POW_32);
  return ntpTimestamp(timestamp + (BigInt(whole) << 32n) + BigInt(fraction));
}
