/**
 * Times in Unix seconds, as certificates have them: what a source tells, and what the clock shows.
 *
 * @module
 */
import { fromNanoseconds } from "../../base/nanoseconds.ts";
import { type NtpTimestamp, toUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import {
  type MonotonicSeconds,
  NANOSECONDS_PER_SECOND,
  type Seconds,
  type UnixSeconds,
} from "../../base/units.ts";
import { formatUtc } from "../../base/utc.ts";

/** The time that a source tells at a moment, and by how much it may be wrong by its own account. */
export interface ToldTime {
  /** The time, in Unix seconds. */
  readonly time: UnixSeconds;
  /** Not negative. */
  readonly error: Seconds;
  /** The moment. */
  readonly at: MonotonicSeconds;
}

/**
 * The local clock is read as a time from 1970 to 2106: a machine without a battery starts in 1970.
 */
const CLOCK_ERA = 2n ** 31n * NANOSECONDS_PER_SECOND;

/** Tells what the local clock shows in Unix seconds. */
export function unixSecondsOf(realtime: NtpTimestamp): UnixSeconds {
  return fromNanoseconds(toUnixNanoseconds(realtime, CLOCK_ERA));
}

/** Writes a time to the second. */
export function secondText(time: UnixSeconds): string {
  return formatUtc(BigInt(Math.floor(time)) * NANOSECONDS_PER_SECOND).replace(/\.0+Z$/, "Z");
}
