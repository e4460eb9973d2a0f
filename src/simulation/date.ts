/**
 * Dates without a calendar library: the moment a scenario starts at, and the moment a reader is
 * told.
 *
 * @module
 */
import type { UnixNanoseconds } from "../base/ntp_timestamp.ts";
import { NANOSECONDS_PER_SECOND, type Seconds, SECONDS_PER_DAY } from "../base/units.ts";

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:[Zz]|[+-]00:00)$/;

/** Reads an RFC 3339 date with time in UTC; undefined when it is not that. */
export function parseDate(text: string): UnixNanoseconds | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  if (
    year === undefined || month === undefined || day === undefined || hour === undefined ||
    minute === undefined || second === undefined
  ) return undefined;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const seconds = daysFromCivil({ year, month, day }) * SECONDS_PER_DAY + hour * 3600 +
    minute * 60 +
    second;
  return BigInt(seconds) * NANOSECONDS_PER_SECOND +
    BigInt((match[7] ?? ".").slice(1).padEnd(9, "0"));
}

/**
 * Writes a moment of a run, seconds from the start, as `12:34:56`, with days before it when there
 * are any.
 */
export function formatElapsed(time: Seconds): string {
  const whole = Math.floor(time);
  const days = Math.floor(whole / SECONDS_PER_DAY);
  const parts = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  const clock = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return days === 0 ? clock : `${days}d ${clock}`;
}

/** Days from 1970-01-01 to a date of the Gregorian calendar. */
function daysFromCivil(
  { year, month, day }: { readonly year: number; readonly month: number; readonly day: number },
): number {
  // Years are counted from March, so that the leap day comes last.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) +
    dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
