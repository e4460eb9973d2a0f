/**
 * How far the clock is from the right time, in words: a sign alone is read the wrong way round.
 *
 * @module
 */
import type { Seconds } from "./units.ts";

/**
 * Writes `0.250000 s behind` for a positive offset and `0.250000 s ahead of` for a negative one;
 * what follows is whose time.
 */
export function clockPosition(offset: Seconds, digits = 6): string {
  return `${Math.abs(offset).toFixed(digits)} s ${offset < 0 ? "ahead of" : "behind"}`;
}
