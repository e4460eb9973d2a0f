/**
 * Whether the sources in use contradict what the joint filter remembers.
 *
 * The filter gives each source a bias, and a bias of some size is expected. When most sources have
 * a much larger one in the same direction, it is not they who are off: the filter remembers sources
 * that are gone, a time that is over, or one source that led it away. Limits: what is below the
 * limit stays, and may be right (a near server taught it) or wrong.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";

/** A bias beyond so many of the standard deviations that were expected contradicts the filter. */
const CONTRADICTION = 3;
/** Those that contradict it in one direction have at least this part of the weight of all. */
const CONTRADICTION_WEIGHT = 0.55;

/** A source stands apart from the middle one beyond so many standard deviations of both. */
const APART = 2;

/** The bias that the filter gives a source, and the variance that was expected of it. */
export interface SeenBias {
  /** Positive when the source is ahead of the filter. */
  readonly bias: Seconds;
  /** Square seconds. */
  readonly variance: number;
}

/**
 * Returns the sources that agree with the middle one when most, by number and by weight, contradict
 * the filter in one direction; undefined when they do not. Each weighs by how small a bias is
 * expected of it.
 */
export function contradicting<Seen extends SeenBias>(
  seen: readonly Seen[],
): readonly Seen[] | undefined {
  const whole = weightOf(seen);
  let left = 0.5 * whole;
  const middle = seen.toSorted((a, b) => a.bias - b.bias)
    .find(({ variance }) => (left -= 1 / variance) <= 0);
  if (middle === undefined) return undefined;
  // two that pull in opposite directions contradict each other, not the filter
  const against = seen.filter((each) => each.bias * middle.bias > 0 && !isExpected(each));
  const isMost = 2 * against.length > seen.length &&
    weightOf(against) > CONTRADICTION_WEIGHT * whole;
  if (!isMost) return undefined;
  return seen.filter(({ bias, variance }) => isExpected({ bias: bias - middle.bias, variance }));
}

/**
 * Returns by how much each of some stands apart from the middle of those with a vote, as a
 * variance: 0 for one that stands apart no further than is expected. It must do so from both
 * middles, that by number and that by weight: a few near ones do not outweigh most, and many far
 * ones not a near one.
 */
export function apartness(
  seen: readonly SeenBias[],
  voting: readonly SeenBias[],
): readonly number[] {
  const middles = [middleOf(voting, () => 1), middleOf(voting, ({ variance }) => 1 / variance)];
  return seen.map((each) =>
    Math.min(...middles.map((middle) => {
      const square = (each.bias - middle.bias) ** 2;
      return square > APART * APART * (each.variance + middle.variance) ? square : 0;
    }))
  );
}

/** The middle of some; where two halves are nearly as heavy it lies between them. */
function middleOf(seen: readonly SeenBias[], weight: (one: SeenBias) => number): SeenBias {
  const sorted = seen.toSorted((a, b) => a.bias - b.bias);
  const half = (1 - CONTRADICTION_WEIGHT) * seen.reduce((sum, each) => sum + weight(each), 0);
  let below = 0, above = 0;
  const low = sorted.find((each) => (below += weight(each)) >= half);
  const high = sorted.findLast((each) => (above += weight(each)) >= half);
  if (low === undefined || high === undefined) return { bias: 0, variance: Infinity };
  return {
    bias: 0.5 * (low.bias + high.bias),
    variance: Math.max(low.variance, high.variance),
  };
}

/** Tells whether a bias is one of those that were expected. */
export function isExpected({ bias, variance }: SeenBias): boolean {
  return Math.abs(bias) <= CONTRADICTION * Math.sqrt(variance);
}

function weightOf(some: readonly SeenBias[]): number {
  return some.reduce((sum, { variance }) => sum + 1 / variance, 0);
}
