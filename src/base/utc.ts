/**
 * Writes moments for people, without the host's `Date` (which the core must not use).
 *
 * @module
 */
import { floorDivide } from "./floor_divide.ts";
import { NANOSECONDS_PER_SECOND, SECONDS_PER_DAY } from "./units.ts";
import type { UnixNanoseconds } from "./ntp_timestamp.ts";

/** Writes a moment as RFC 3339 in UTC with microseconds: "2026-11-22T02:30:00.000123Z". */
export function formatUtc(time: UnixNanoseconds): string {
  const microseconds = time >= 0n || time % 1000n === 0n ? time / 1000n : time / 1000n - 1n;
  const seconds = Number(floorDivide(microseconds, NANOSECONDS_PER_SECOND / 1000n));
  const fraction = Number(microseconds - BigInt(seconds) * 1_000_000n);
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const { year, month, day } = civilDate(days);
  const rest = seconds - days * SECONDS_PER_DAY;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const date = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
  const clock = `${two(rest / 3600)}:${two(rest % 3600 / 60)}:${two(rest % 60)}`;
  return `${date}T${clock}.${String(fraction).padStart(6, "0")}Z`;
}

/**
 * Returns the Gregorian date of a day counted from 1970-01-01. Years are taken to begin in March,
 * so that a leap day is the last of its year, and 400 years are one cycle of 146097 days.
 */
export function civilDate(
  daysSinceUnixEpoch: number,
): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = daysSinceUnixEpoch + 719_468;
  const cycle = Math.floor(shifted / 146_097);
  const dayOfCycle = shifted - cycle * 146_097;
  const yearOfCycle = Math.floor(
    (dayOfCycle - Math.floor(dayOfCycle / 1460) + Math.floor(dayOfCycle / 36_524) -
      Math.floor(dayOfCycle / 146_096)) / 365,
  );
  const dayOfYear = dayOfCycle -
    (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, day };
}
