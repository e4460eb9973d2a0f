/**
 * Casts off sources that are right as far as one can tell, but stand apart from the others.
 *
 * The problem: intervals are wide, because a path may be asymmetric by half its delay; a source may
 * be inside and still spoil the average. The idea (in the spirit of RFC 5905 section 11.2.2): while
 * more than a few are left, find the one whose offset differs most from those of all others, and
 * cast it off if that is more than their errors explain. Errors are taken as jitter, uncertainty,
 * and a quarter of the root distance for what asymmetry usually does. Where one half stands apart
 * from the other, neither is the crowd: casting one off would make the other half the larger, and
 * noise would choose which. Only those that stay in any case outweigh as many others. Limits: with
 * three sources or fewer there is no crowd to stand apart from.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { Doubt } from "./doubt.ts";

/** So many sources are never reduced further (RFC 5905 section 11.2.2, NMIN). */
const SURVIVORS_MIN = 3;

/**
 * A source stands apart when its differences to the others are this many times what is expected of
 * them.
 */
const APART = 2.5;
/** The same for one that stood apart before: else it would come and go at that edge. */
const APART_STILL = 2;

/** The part of the root distance that is expected as an error. */
const ASYMMETRY = 0.25;

/** What is known of one source. */
export interface ClusterMember {
  /** Names the source. */
  readonly id: number;
  /** Its estimated offset. */
  readonly offset: Seconds;
  /** One standard deviation of the offset. */
  readonly uncertainty: Seconds;
  /** How much its samples differ from one another. */
  readonly jitter: Seconds;
  /** The largest error that it may have. */
  readonly rootDistance: Seconds;
  /** Whether it stays in any case. */
  readonly prefer: boolean;
  /** Whether it is not compared with those that are not trusted. */
  readonly trust: boolean;
  /** What was found against it before; left out or undefined for nothing. */
  readonly doubt?: Doubt | undefined;
}

/** A source that was cast off, and the numbers that decided. */
export interface Outlier {
  /** Names the source. */
  readonly id: number;
  /** The root mean square of its differences to the others that were left. */
  readonly difference: Seconds;
  /** What was expected of it. */
  readonly expected: Seconds;
  /** How many others were left. */
  readonly others: number;
}

/**
 * Returns the sources that are cast off, worst first; does not depend on the order in which they
 * are given. Trusted ones are compared with one another only, the others with all that are left.
 */
export function findOutliers(members: readonly ClusterMember[]): readonly Outlier[] {
  const trusted = members.filter(({ trust }) => trust);
  if (trusted.length === 0) return castOff(members);
  const first = castOff(trusted);
  const left = members.filter(({ id }) => !first.some((outlier) => outlier.id === id));
  return [
    ...first,
    ...castOff(left.map((each) => ({ ...each, prefer: each.prefer || each.trust }))),
  ];
}

function castOff(members: readonly ClusterMember[]): readonly Outlier[] {
  let left = members.toSorted((a, b) => a.offset - b.offset || a.id - b.id)
    .map(weighed);
  const outliers: Outlier[] = [];
  const canTie = !members.some(({ prefer }) => prefer);
  while (left.length > SURVIVORS_MIN) {
    let worst: { readonly outlier: Outlier; readonly ratio: number } | undefined = undefined;
    const crowd = crowdOf(left);
    for (const member of left) {
      if (member.prefer) continue;
      const outlier = compare(member, crowd);
      const ratio = outlier.expected > 0 ? outlier.difference / outlier.expected : 0;
      if (ratio <= member.apart || (worst !== undefined && ratio <= worst.ratio)) continue;
      if (!canTie || !isWithMiddle(member, left)) worst = { outlier, ratio };
    }
    if (worst === undefined) break;
    const { outlier } = worst;
    outliers.push(outlier);
    left = left.filter(({ id }) => id !== outlier.id);
  }
  return outliers;
}

/**
 * Tells whether one stands apart no further than is expected from the middle one of some, or from
 * one of the two in the middle: then as many are with it as are against it.
 */
function isWithMiddle(member: Weighed, sorted: readonly Weighed[]): boolean {
  const half = sorted.length >> 1;
  return sorted.slice(sorted.length - half - 1, half + 1).some(({ offset, variance }) =>
    (offset - member.offset) ** 2 <= variance + member.variance
  );
}

interface Weighed extends Pick<ClusterMember, "id" | "offset" | "prefer"> {
  /** Of the offset, as far as its errors are expected. */
  readonly variance: number;
  /** From how many times what is expected on it stands apart. */
  readonly apart: number;
}

/** Sums over all that are left, so that comparing each with all others takes no square of steps. */
interface Crowd {
  readonly count: number;
  readonly centre: Seconds;
  /** Of the distances from the centre. */
  readonly squares: number;
  readonly variances: number;
}

function crowdOf(left: readonly Weighed[]): Crowd {
  const count = left.length;
  const base = left[0]?.offset ?? 0;
  const centre = base + left.reduce((sum, { offset }) => sum + (offset - base), 0) / count;
  return {
    count,
    centre,
    squares: left.reduce((sum, { offset }) => sum + (offset - centre) ** 2, 0),
    variances: left.reduce((sum, { variance }) => sum + variance, 0),
  };
}

function compare(member: Weighed, crowd: Crowd): Outlier {
  const { count, centre, squares, variances } = crowd;
  const others = count - 1;
  // the sum of squared differences to all, by the one to the centre of them all
  const difference = count * (member.offset - centre) ** 2 + squares;
  const expected = variances + (others - 1) * member.variance;
  return {
    id: member.id,
    difference: Math.sqrt(difference / others),
    expected: Math.sqrt(expected / others),
    others,
  };
}

function weighed(member: ClusterMember): Weighed {
  const { id, offset, prefer, jitter, uncertainty, rootDistance, doubt } = member;
  const variance = jitter ** 2 + uncertainty ** 2 + (ASYMMETRY * rootDistance) ** 2;
  return { id, offset, prefer, variance, apart: doubt === undefined ? APART : APART_STILL };
}
