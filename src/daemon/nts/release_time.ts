/**
 * A time that has certainly passed, because this program existed then.
 *
 * @module
 */
import { formatUtc } from "../../base/utc.ts";
import { NANOSECONDS_PER_SECOND } from "../../base/units.ts";

/**
 * The first second of the year of this release, in Unix seconds; raised with every release (RFC
 * 8915 section 8.5).
 */
export const RELEASE_TIME = Date.UTC(2026, 0, 1) / 1000;

/** NTP tells times apart that are nearer to each other than this (RFC 5905 section 6). */
const ERA_HALF = 2 ** 31;

/**
 * Says what is wrong with a clock that shows a time, in Unix seconds, from which no answer leads
 * back; undefined if nothing is.
 */
export function eraError(clock: number): string | undefined {
  if (clock < RELEASE_TIME + ERA_HALF) return undefined;
  const shown = formatUtc(BigInt(Math.floor(clock)) * NANOSECONDS_PER_SECOND).slice(0, 10);
  return `The clock shows ${shown}, more than 68 years after this program was made: NTP cannot tell how far ` +
    "that is from the time, so set it roughly by hand (date --set) and start ntpsd again";
}
