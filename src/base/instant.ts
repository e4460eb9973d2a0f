/**
 * One moment, as both local clocks tell it.
 *
 * @module
 */
import type { NtpTimestamp } from "./ntp_timestamp.ts";
import { difference } from "./ntp_timestamp.ts";
import type { MonotonicSeconds } from "./units.ts";

/** One moment on both local clocks, read as closely together as can be. */
export interface Instant {
  /** The boot-time clock: not stepped, runs on through suspend, at the disciplined rate. */
  readonly monotonic: MonotonicSeconds;
  /** The real-time clock: what is disciplined. */
  readonly realtime: NtpTimestamp;
}

/**
 * Returns when a recent real-time timestamp was, on the boot-time clock; wrong if the clock was
 * stepped in between.
 */
export function monotonicOf(timestamp: NtpTimestamp, now: Instant): MonotonicSeconds {
  return now.monotonic - difference(now.realtime, timestamp);
}
