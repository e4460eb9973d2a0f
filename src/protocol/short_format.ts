/**
 * The NTP short format: 16 bits of seconds and 16 of fraction, for root delay and root dispersion
 * (RFC 5905 section 6).
 *
 * The idea: what is measured is never understated, so encoding rounds up. Limits: unsigned; a root
 * delay that NTPv3 allowed to be negative (RFC 1305 section 3.2.1) reads as a huge one and is
 * refused as such.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";

/**
 * The largest duration that the short format can hold: 2^16 seconds less one unit of the fraction.
 */
export const SHORT_FORMAT_MAX: Seconds = 0xffff_ffff / 65536;

/** Turns the 32 bits of a short format field into seconds, exactly. */
export function decodeShort(bits: number): Seconds {
  return (bits >>> 0) / 65536;
}

/**
 * Turns seconds into the 32 bits of a short format field: rounded up, and limited to 0 ..
 * `SHORT_FORMAT_MAX`.
 */
export function encodeShort(seconds: Seconds): number {
  if (!(seconds > 0)) return 0;
  return seconds >= SHORT_FORMAT_MAX ? 0xffff_ffff : Math.ceil(seconds * 65536);
}
