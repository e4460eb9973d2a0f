/**
 * When an announced leap second is due, and when the kernel is to be told.
 *
 * Servers announce a leap second up to a month ahead; the kernel applies it at the end of the
 * current UTC day, so it must hear of it on that day only: the last day of a month, in practice of
 * June or December (RFC 5905 section 7.3).
 *
 * @module
 */
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import type { NtpTimestamp } from "../../base/ntp_timestamp.ts";
import { type Seconds, SECONDS_PER_DAY } from "../../base/units.ts";
import { civilDate } from "../../base/utc.ts";
import { ERA_SECONDS, UNIX_EPOCH_IN_NTP_DAYS } from "../../base/epoch.ts";

/** Around a leap second, clocks disagree about which second it is. */
const QUIET_TIME: Seconds = 5;

/** Returns the leap second to announce to the kernel now. */
export function leapForKernel(announced: LeapIndicator, now: NtpTimestamp): LeapIndicator {
  if (announced === "none" || announced === "unknown") return announced;
  return isLastDayOfMonth(daysSinceUnixEpoch(now)) ? announced : "none";
}

/** Tells whether measurements are to be ignored because a leap second is just happening. */
export function isLeapTurmoil(announced: LeapIndicator, now: NtpTimestamp): boolean {
  if (announced !== "insert" && announced !== "delete") return false;
  const second = secondsSince1900(now) % SECONDS_PER_DAY;
  const day = daysSinceUnixEpoch(now);
  return (second > SECONDS_PER_DAY - QUIET_TIME && isLastDayOfMonth(day)) ||
    (second < QUIET_TIME && isLastDayOfMonth(day - 1));
}

/** Tells whether a step of the clock by `gained`, just before `at`, was a leap second. */
export function isLeapStep(
  announced: LeapIndicator,
  { gained, at }: { readonly gained: Seconds; readonly at: NtpTimestamp },
): boolean {
  if (announced !== "insert" && announced !== "delete") return false;
  const expected = announced === "insert" ? -1 : 1;
  const second = secondsSince1900(at) % SECONDS_PER_DAY;
  const nearMidnight = second > SECONDS_PER_DAY - 2 ||
    second < QUIET_TIME + 2 * SECONDS_PER_DAY / 24;
  return Math.abs(gained - expected) < 0.01 && nearMidnight;
}

/**
 * Returns the whole seconds since 1900-01-01, counted on through the era that begins in 2036; right
 * from 1968 to 2104.
 */
export function secondsSince1900(now: NtpTimestamp): number {
  const seconds = Number(now >> 32n);
  return seconds < ERA_SECONDS / 2 ? seconds + ERA_SECONDS : seconds;
}

function daysSinceUnixEpoch(now: NtpTimestamp): number {
  return Math.floor(secondsSince1900(now) / SECONDS_PER_DAY) - UNIX_EPOCH_IN_NTP_DAYS;
}

function isLastDayOfMonth(day: number): boolean {
  return civilDate(day + 1).day === 1;
}
