/**
 * Seconds as a double and whole nanoseconds as a `bigint`, from one to the other.
 *
 * @module
 */
import type { Seconds } from "./units.ts";

const PER_SECOND = 1e9;

/** Converts to seconds; exact to the nanosecond below 2^21 seconds. */
export function fromNanoseconds(nanoseconds: bigint): Seconds {
  return Number(nanoseconds) / PER_SECOND;
}

/** Converts to the nearest nanosecond; throws a `RangeError` when it is not finite. */
export function toNanoseconds(seconds: Seconds): bigint {
  return BigInt(Math.round(seconds * PER_SECOND));
}
