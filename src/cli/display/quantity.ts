/**
 * Writes quantities as a person reads them: three or four digits and the unit that fits.
 *
 * @module
 */
import { type Seconds, SECONDS_PER_DAY } from "../../base/units.ts";

/** What is longer says no more: servers can state any number. */
const DAYS_MAX = 99_999;

/** Writes a time difference as `123 ns`, `12.3 us`, `1.23 ms`, `4.56 s`; a dash for null. */
export function formatSeconds(seconds: Seconds | null | undefined): string {
  if (seconds === null || seconds === undefined) return "-";
  if (seconds === 0) return "0 ns";
  const size = Math.abs(seconds);
  if (size < 999.5e-9) return `${Math.round(seconds * 1e9) + 0} ns`;
  if (size < 999.5e-6) return `${threeDigits(seconds * 1e6)} us`;
  if (size < 999.5e-3) return `${threeDigits(seconds * 1e3)} ms`;
  if (size < 99_999) return `${threeDigits(seconds)} s`;
  if (size < DAYS_MAX * SECONDS_PER_DAY) return `${(seconds / SECONDS_PER_DAY).toFixed(1)} d`;
  return `${seconds < 0 ? "< -" : "> "}${DAYS_MAX} d`;
}

/** Writes a time difference with its sign, `+12.3 us`; a dash for null. */
export function formatOffset(seconds: Seconds | null | undefined): string {
  const text = formatSeconds(seconds);
  return seconds !== null && seconds !== undefined && seconds > 0 ? `+${text}` : text;
}

/** Writes an interval or an age in whole units: `16s`, `17m`, `3h`, `2d`; a dash for null. */
export function formatAge(seconds: Seconds | null | undefined): string {
  if (seconds === null || seconds === undefined) return "-";
  if (seconds < 100) return `${Math.round(seconds)}s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)}m`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)}h`;
  return `${Math.round(seconds / SECONDS_PER_DAY)}d`;
}

/** Writes a duration in words: `3 days 4 h`, `12 min 5 s`. */
export function formatSpan(seconds: Seconds): string {
  const total = Math.max(0, Math.floor(seconds));
  const days = Math.floor(total / SECONDS_PER_DAY);
  const hours = Math.floor(total / 3600) % 24;
  const minutes = Math.floor(total / 60) % 60;
  if (days > 0) return `${days} day${days === 1 ? "" : "s"} ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${total % 60} s` : `${total} s`;
}

/** Writes a frequency as `+12.345 ppm`; a dash for null. */
export function formatPpm(ppm: number | null | undefined): string {
  if (ppm === null || ppm === undefined) return "-";
  return `${ppm > 0 ? "+" : ""}${ppm.toFixed(3)} ppm`;
}

/** Writes a count with commas between groups of three digits. */
export function formatCount(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

function threeDigits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}
