/**
 * Decides by majority whether a leap second is coming.
 *
 * @module
 */
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";

/**
 * Returns what more than half of the sources announce, and "none" when no announcement has a
 * majority; "unknown" when there are no sources (RFC 5905 section 7.3).
 */
export function leapByMajority(sources: readonly LeapIndicator[]): LeapIndicator {
  if (sources.length === 0) return "unknown";
  const votes = (word: LeapIndicator) => sources.filter((each) => each === word).length;
  if (votes("insert") * 2 > sources.length) return "insert";
  return votes("delete") * 2 > sources.length ? "delete" : "none";
}
