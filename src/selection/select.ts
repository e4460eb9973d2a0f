/**
 * Decides which sources are believed, and says of every one why or why not.
 *
 * The problem: some sources are dead, far away, wrong, or lying, and no single one can be trusted
 * to be right. The idea, after RFC 5905 section 11.2: those that are fit to be asked at all claim
 * an interval each; a majority must overlap, the others are falsetickers; of the majority, those
 * that stand apart are cast off; the rest is combined, one of them being the system peer that the
 * outside sees. All of it is one pure function that does not depend on the order of the sources.
 * One server has one vote, see `one_vote.ts`. Trusted sources outvote any number of others, and
 * these can move the time within the interval that the trusted ones leave and no further. Limits: a
 * majority that lies in concert wins; that is what `minimum-agreeing-sources`, `trust` and
 * `require` are for.
 *
 * @module
 */
import { assert, present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { Candidate } from "./candidate.ts";
import { findOutliers } from "./cluster.ts";
import { refusalOf, refusalWithoutFit, withUnused } from "./refusal.ts";
import { durationText, rejection } from "./rejection.ts";
import { covers, intersect, type Intersection } from "./intersection.ts";
import { oneVoteEach } from "./one_vote.ts";
import type { SelectionOptions } from "./selection_options.ts";
import type { SourceStatus } from "./status.ts";

export type { Candidate } from "./candidate.ts";
export type { SelectionOptions } from "./selection_options.ts";

/** Sources whose root distance is larger are not asked (RFC 5905 section 11.2.1, MAXDIST). */
export const DISTANCE_MAX: Seconds = 1.5;

/** How much a stratum counts when the system peer is chosen, in seconds of root distance. */
const STRATUM_WEIGHT: Seconds = 1e-3;

/** The system peer is changed only for one that is better by a fifth and by this much. */
const CHANGE_RATIO = 0.8;
const CHANGE_MIN: Seconds = 1e-4;

/** The outcome. */
export interface Selection {
  /** One for every candidate. */
  readonly statuses: ReadonlyMap<number, SourceStatus>;
  /** The sources to combine, the system peer first; empty when none is believed. */
  readonly survivors: readonly number[];
  /** The one that the outside sees; undefined when none is believed. */
  readonly systemPeer: number | undefined;
  /** How many sources agree, survivors or not. */
  readonly agreeing: number;
  /** The sources that agree when one is believed, survivors or not; empty when none is. */
  readonly agreed: readonly number[];
  /** Where the true offset lies, if those that agree are right. */
  readonly interval: { readonly low: Seconds; readonly high: Seconds } | undefined;
  /** Why no source is believed, in a sentence; undefined when one is. */
  readonly refusal: string | undefined;
}

/** Selects among all candidates (RFC 5905 section 11.2). */
export function select(candidates: readonly Candidate[], options: SelectionOptions): Selection {
  const ids = new Set(candidates.map(({ id }) => id));
  assert(ids.size === candidates.length, "Candidates have different numbers");
  if (options.authentication === "prefer") {
    const proven = selectAmong(
      candidates.filter(({ isAuthenticated }) => isAuthenticated),
      options,
    );
    if (proven.systemPeer !== undefined) return withStandbys(proven, candidates, options);
  }
  return selectAmong(candidates, options);
}

function selectAmong(candidates: readonly Candidate[], options: SelectionOptions): Selection {
  const statuses = new Map<number, SourceStatus>();
  const usable: Candidate[] = [];
  const limits = limitsOf(options);
  for (const candidate of candidates.toSorted((a, b) => a.id - b.id)) {
    const status = rejection(candidate, limits);
    if (status === undefined) usable.push(candidate);
    else statuses.set(candidate.id, status);
  }
  const { voters: fit, doubles } = oneVoteEach(usable);
  for (const [id, status] of doubles) statuses.set(id, status);
  const place = intersect(fit.map(claimOf), options.estimate);
  if (place === undefined) {
    return refuse({ statuses, refusal: refusalWithoutFit(candidates, statuses), agreeing: 0 });
  }
  if (!isMajority(place, fit)) {
    return refuseWithoutMajority({ statuses, fit, place, candidates, doubles });
  }
  const agreeing = fit.filter((each) => covers(claimOf(each), place));
  for (const each of fit) {
    if (!agreeing.includes(each)) statuses.set(each.id, falseticker(each, place, fit.length));
  }
  const refusal = refusalOf(agreeing, candidates, options) ??
    options.objection?.(
      idsOf(agreeing),
      idsOf(unitedAmong(fit.filter((each) => !agreeing.includes(each)))),
    );
  if (refusal !== undefined) {
    for (const { id } of agreeing) statuses.set(id, { status: "candidate", reason: refusal });
    const why = withUnused(refusal, candidates, { statuses, doubles });
    return refuse({ statuses, refusal: why, agreeing: agreeing.length, interval: place });
  }
  return accept({ statuses, agreeing, place, previous: options.previous });
}

/** Those of some that agree with most of them. */
function unitedAmong(candidates: readonly Candidate[]): readonly Candidate[] {
  const place = intersect(candidates.map((each) => claimOf(each)));
  return place === undefined ? [] : candidates.filter((each) => covers(claimOf(each), place));
}

function idsOf(candidates: readonly Candidate[]): readonly number[] {
  return candidates.map(({ id }) => id);
}

function limitsOf(options: SelectionOptions) {
  return {
    samplesMin: options.samplesMin ?? 1,
    distanceMax: options.distanceMax ?? DISTANCE_MAX,
    stratumLimit: options.stratumLimit,
    mustBeAuthenticated: options.authentication === "require",
  };
}

/** Adds the sources that are not used because authenticated ones give the time. */
function withStandbys(
  proven: Selection,
  candidates: readonly Candidate[],
  options: SelectionOptions,
): Selection {
  const statuses = new Map(proven.statuses);
  const place = {
    ...present(proven.interval, "A selection has an interval"),
    depth: proven.agreeing,
  };
  for (const each of candidates.filter(({ id }) => !statuses.has(id))) {
    const { low, high } = claimOf(each);
    const agrees = low <= place.high && high >= place.low;
    statuses.set(
      each.id,
      rejection(each, limitsOf(options)) ??
        (agrees ? STANDBY : falseticker(each, place, proven.statuses.size)),
    );
  }
  return { ...proven, statuses };
}

const STANDBY: SourceStatus = {
  status: "candidate",
  reason: "Agrees, and stands by: authenticated sources give the time",
};

function accept(found: {
  readonly statuses: Map<number, SourceStatus>;
  readonly agreeing: readonly Candidate[];
  readonly place: Intersection;
  readonly previous: number | undefined;
}): Selection {
  const { statuses, agreeing, place } = found;
  const strays = findStrays(agreeing);
  for (const [id, status] of strays) statuses.set(id, status);
  const outliers = findOutliers(agreeing.filter(({ id }) => !strays.has(id)));
  for (const { id, difference, expected, others } of outliers) {
    statuses.set(id, {
      status: "outlier",
      reason: `Offset differs by ${durationText(difference)} from ${others} others that agree, ` +
        `where ${durationText(expected)} is expected`,
    });
  }
  const inside = agreeing.filter(({ id }) => !statuses.has(id));
  const preferredInside = inside.filter(({ prefer }) => prefer);
  const left = preferredInside.length > 0 ? preferredInside : inside;
  assert(left.length > 0, "Casting off outliers leaves some");
  const trusted = left.filter(({ trust }) => trust);
  const peer = choosePeer(trusted.length > 0 ? trusted : left, found.previous);
  for (const each of agreeing) {
    if (statuses.has(each.id)) continue;
    statuses.set(each.id, useOf(each, { peer, left }));
  }
  const rest = left.filter((each) => each !== peer).toSorted(byScore);
  return {
    statuses,
    survivors: [peer, ...rest].map(({ id }) => id),
    systemPeer: peer.id,
    agreeing: agreeing.length,
    agreed: agreeing.map(({ id }) => id),
    interval: { low: place.low, high: place.high },
    refusal: undefined,
  };
}

/**
 * Finds those that are not trusted and whose offset lies outside of what the trusted ones leave:
 * their own claim of how wrong they may be, which costs a liar nothing, is no reason to let them
 * move the time.
 */
function findStrays(agreeing: readonly Candidate[]): ReadonlyMap<number, SourceStatus> {
  const claims = agreeing.filter(({ trust }) => trust).map((each) => claimOf(each));
  const low = Math.max(...claims.map((claim) => claim.low));
  const high = Math.min(...claims.map((claim) => claim.high));
  const strays = new Map<number, SourceStatus>();
  for (const { id, trust, offset } of claims.length > 0 ? agreeing : []) {
    if (trust || (offset >= low && offset <= high)) continue;
    const apart = durationText(offset < low ? low - offset : offset - high);
    const reason = `Offset ${durationText(offset)} lies ${apart} outside the interval that ` +
      `${claims.length} trusted ${claims.length === 1 ? "source leaves" : "sources leave"}`;
    strays.set(id, { status: "outlier", reason });
  }
  return strays;
}

function useOf(
  candidate: Candidate,
  among: { readonly peer: Candidate; readonly left: readonly Candidate[] },
): SourceStatus {
  const numbers = `offset ${durationText(candidate.offset)}, ` +
    `error bound ${durationText(candidate.rootDistance)}`;
  if (candidate === among.peer) {
    return { status: "selected", reason: `Best of ${among.left.length} that are used: ${numbers}` };
  }
  if (among.left.includes(candidate)) {
    return { status: "combined", reason: `Used together with ${among.peer.name}: ${numbers}` };
  }
  return { status: "candidate", reason: `Agrees, but ${among.peer.name} is preferred: ${numbers}` };
}

/**
 * The one with the least root distance and stratum, but the previous one unless another is clearly
 * better.
 */
function choosePeer(left: readonly Candidate[], previous: number | undefined): Candidate {
  const best = left.toSorted(byScore)[0];
  assert(best !== undefined, "A peer is chosen among some");
  const old = left.find(({ id }) => id === previous);
  if (old === undefined) return best;
  const isBetter = score(best) < score(old) * CHANGE_RATIO && score(best) < score(old) - CHANGE_MIN;
  return isBetter ? best : old;
}

function byScore(a: Candidate, b: Candidate): number {
  return score(a) - score(b) || a.id - b.id;
}

function score(candidate: Candidate): Seconds {
  return candidate.rootDistance + candidate.stratum * STRATUM_WEIGHT;
}

function claimOf(candidate: Candidate) {
  const { offset, rootDistance, trust } = candidate;
  return {
    low: offset - rootDistance,
    high: offset + rootDistance,
    isTrusted: trust,
  };
}

/**
 * More than half of the trusted sources, or of all when none is trusted (RFC 5905 section 11.2.1).
 */
function isMajority(place: Intersection, fit: readonly Candidate[]): boolean {
  const trusted = fit.filter(({ trust }) => trust).length;
  return trusted > 0 ? place.trustedDepth * 2 > trusted : place.depth * 2 > fit.length;
}

function falseticker(
  candidate: Candidate,
  place: Pick<Intersection, "low" | "high" | "depth">,
  all: number,
): SourceStatus {
  const { offset, rootDistance } = candidate;
  const apart = offset < place.low ? place.low - offset : offset - place.high;
  return {
    status: "falseticker",
    reason: `Offset ${durationText(offset)} lies ${durationText(apart)} outside the interval on ` +
      `which ${place.depth} of ${all} sources agree, with an error bound of ` +
      durationText(rootDistance),
  };
}

function refuseWithoutMajority(
  { statuses, fit, place, candidates, doubles }: {
    readonly doubles: ReadonlyMap<number, SourceStatus>;
    readonly statuses: Map<number, SourceStatus>;
    readonly fit: readonly Candidate[];
    readonly place: Intersection;
    readonly candidates: readonly Candidate[];
  },
): Selection {
  const trusted = fit.filter(({ trust }) => trust).length;
  const [most, all] = trusted > 0 ? [place.trustedDepth, trusted] : [place.depth, fit.length];
  const kind = trusted > 0 ? "trusted sources" : "sources";
  const refusal = `No majority: at most ${most} of ${all} ${kind} agree`;
  for (const { id, offset, rootDistance } of fit) {
    statuses.set(id, {
      status: "candidate",
      reason: `${refusal}; offset ${durationText(offset)}, ` +
        `error bound ${durationText(rootDistance)}`,
    });
  }
  const why = withUnused(refusal, candidates, { statuses, doubles });
  return refuse({ statuses, refusal: why, agreeing: place.depth });
}

function refuse(
  found: Pick<Selection, "statuses" | "agreeing"> & {
    readonly refusal: string;
    readonly interval?: Intersection;
  },
): Selection {
  const { interval } = found;
  return {
    statuses: found.statuses,
    survivors: [],
    systemPeer: undefined,
    agreeing: found.agreeing,
    agreed: [],
    interval: interval === undefined ? undefined : { low: interval.low, high: interval.high },
    refusal: found.refusal,
  };
}
