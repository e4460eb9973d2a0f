/**
 * The leap indicator: what the last minute of the day or month brings, or that the clock is not
 * synchronised (RFC 5905 figure 9).
 *
 * @module
 */

/** The leap indicator as the wire has it, by the word for it (RFC 5905 figure 9). */
export const LEAP = { none: 0, insert: 1, delete: 2, unknown: 3 } as const;

/** The leap indicator in words. */
export type LeapIndicator = keyof typeof LEAP;

/** Returns the word for the two bits of a header. */
export function leapIndicatorOf(bits: number): LeapIndicator {
  switch (bits) {
    case LEAP.none:
      return "none";
    case LEAP.insert:
      return "insert";
    case LEAP.delete:
      return "delete";
    default:
      return "unknown";
  }
}
