/**
 * Finds the offset on which most sources agree: the intersection of their confidence intervals.
 *
 * The problem: each source claims that the true offset lies in an interval around its own; some
 * claims are false. The idea (Marzullo, RFC 5905 section 11.2.1): sweep over the ends of all
 * intervals and find where the most of them overlap. There, every interval either covers the whole
 * place or is disjoint from it, for one that covered it in part would make a deeper place. Trusted
 * sources are counted first, so that they outvote any number of others. Limits: where two places
 * are equally deep, the claims alone do not decide; then one whose claims only just touch is left
 * out, the one nearest to the joint estimate is taken, or the one with the narrower claims.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";

/** Of equally deep places one is left out whose claims agree by less than this part of another. */
const FIRM_PART = 0.5;
/** The claims of that other one are together no wider than so many times those of the first. */
const FIRM_WIDTH = 1.25;

/** One claim: the true offset lies from `low` to `high`, both included. */
export interface Interval extends Range {
  /** Whether it outvotes those that are not. */
  readonly isTrusted: boolean;
}

/** Offsets from one to another, both included. */
export interface Range {
  /** The least. */
  readonly low: Seconds;
  /** The largest. */
  readonly high: Seconds;
}

/** Where most sources can be right. */
export interface PossibleRange extends Range {
  /** Whether it lies between claims that barely touch; not if left out. */
  readonly isTouch?: boolean;
}

/** Where the most claims overlap. */
export interface Intersection extends Range {
  /** How many claims overlap there, trusted or not. */
  readonly depth: number;
  /** How many of them are trusted. */
  readonly trustedDepth: number;
}

/**
 * Finds where the most claims overlap, trusted ones counted first; undefined when there is no
 * claim. `estimate` is the offset of the joint estimate so far: all that were believed had a part
 * in it, so that the one which leaves the others is not followed.
 */
export function intersect(
  intervals: readonly Interval[],
  estimate?: Seconds,
): Intersection | undefined {
  const places = deepestPlaces(intervals).map((place) => {
    const members = intervals.filter((interval) => covers(interval, place));
    const widths = members.map(({ low, high }) => high - low);
    return {
      place,
      distance: estimate === undefined ? 0 : distanceTo(place, estimate),
      agreement: agreement(place, Math.min(...widths)),
      width: sumSorted(widths),
    };
  });
  const firm = places.filter((place) => !places.some((rival) => isFirmer(rival, place)));
  firm.sort((a, b) => a.distance - b.distance || a.width - b.width || a.place.low - b.place.low);
  return firm[0]?.place;
}

/**
 * Returns from the least to the largest offset that more than half of the claims allow: the truth
 * is there as long as fewer than half of them are false. Trusted ones alone count where there are
 * some; undefined when no offset is allowed by so many.
 */
export function majorityRange(
  intervals: readonly Interval[],
): Range | undefined {
  const trusted = intervals.filter(({ isTrusted }) => isTrusted);
  const counted = trusted.length > 0 ? trusted : intervals;
  let low: Seconds | undefined = undefined, high: Seconds | undefined = undefined;
  let depth = 0;
  for (const { at, step } of edges(counted)) {
    // beginnings come first: a majority begins where one more claim makes it one
    const most = Math.max(depth, depth += step);
    if (2 * most <= counted.length) continue;
    low ??= at;
    high = at;
  }
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** How far an offset lies outside of a place. */
function distanceTo({ low, high }: Intersection, offset: Seconds): Seconds {
  return Math.max(0, low - offset, offset - high);
}

interface PlaceQuality {
  readonly agreement: number;
  readonly width: Seconds;
}

/**
 * Tells whether the claims of one place agree far better than those of another: claims that only
 * just touch are about to part, and that one of them was believed before is no evidence. A claim
 * that is wide costs a liar nothing and agrees with much, so those of the firmer place must not be
 * wider.
 */
function isFirmer(rival: PlaceQuality, place: PlaceQuality): boolean {
  return place.agreement < FIRM_PART * rival.agreement && rival.width <= FIRM_WIDTH * place.width;
}

/** The part of the narrowest claim that the others leave, from 0 to 1. */
function agreement({ low, high }: Intersection, narrowest: Seconds): number {
  return narrowest > 0 ? (high - low) / narrowest : 1;
}

/** Tells whether a claim covers a place. */
export function covers(
  interval: Range,
  place: Range,
): boolean {
  return interval.low <= place.low && interval.high >= place.high;
}

interface Edge {
  readonly at: Seconds;
  /** +1 where a claim begins, -1 where it ends. */
  readonly step: 1 | -1;
  readonly trusted: 0 | 1;
}

function deepestPlaces(intervals: readonly Interval[]): readonly Intersection[] {
  let places: Intersection[] = [];
  let best = { depth: 0, trustedDepth: 0 };
  let depth = 0, trustedDepth = 0;
  let openedAt: Seconds | undefined = undefined;
  for (const { at, step, trusted } of edges(intervals)) {
    if (step === 1) {
      depth++;
      trustedDepth += trusted;
      const order = trustedDepth - best.trustedDepth || depth - best.depth;
      if (order > 0) {
        best = { depth, trustedDepth };
        places = [];
      }
      openedAt = order >= 0 ? at : undefined;
    } else {
      if (openedAt !== undefined) places.push({ ...best, low: openedAt, high: at });
      openedAt = undefined;
      depth--;
      trustedDepth -= trusted;
    }
  }
  assert(depth === 0 && trustedDepth === 0, "Every claim that begins also ends");
  return places;
}

/**
 * The ends in ascending order; at one point beginnings come first, so that claims that touch
 * overlap.
 */
function edges(intervals: readonly Interval[]): readonly Edge[] {
  const all: Edge[] = [];
  for (const { low, high, isTrusted } of intervals) {
    assert(Number.isFinite(low) && Number.isFinite(high) && low <= high, "A claim is an interval");
    const trusted = isTrusted ? 1 : 0;
    all.push({ at: low, step: 1, trusted }, { at: high, step: -1, trusted });
  }
  return all.sort((a, b) => a.at - b.at || b.step - a.step || b.trusted - a.trusted);
}

/**
 * Adds in ascending order, so that the sum does not depend on the order in which sources are given.
 */
function sumSorted(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b).reduce((sum, value) => sum + value, 0);
}
