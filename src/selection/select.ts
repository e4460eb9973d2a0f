/**
 * Decides which sources are believed, and says of every one why or why not.
 *
 * The problem: some sources are dead, far away, wrong, or lying, and no single one can be trusted
 * to be right. The idea, after RFC 5905 section 11.2: those that are fit to be asked at all claim
 * an interval each; a majority must overlap, the others are falsetickers; of the majority, those
 * that stand apart are cast off; the rest is combined, one of them being the system peer that the
 * outside sees. All of it is one pure function that does not depend on the order of the sources.
 * One server has one vote, see `one_vote.ts`. Trusted sources outvote any number of others. One
 * whose offset lies where most cannot be right (most trusted ones, where there are some) has no
 * part in the time, however wrong it says that it may be. Where all lie outside, claims only just
 * overlap, and those stay that lie about as far outside as the nearest; where claims barely touch,
 * the time is no more in between than with either. Preferred sources that agree give the time
 * alone, and unless a trusted one agrees, no other says where it can be. Limits: a majority that
 * lies in concert wins; that is what `minimum-agreeing-sources`, `trust` and `require` are for. A
 * preferred source moves the time as far as the error that it admits, as long as it agrees.
 *
 * @module
 */
import { assert, present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { Candidate } from "./candidate.ts";
import { findOutliers } from "./cluster.ts";
import {
  reasonAgainst,
  reasonWithoutMajority,
  reasonWithoutVoters,
  type Vote,
  withUnused,
} from "./no_selection.ts";
import { durationText, rejection, type RejectionLimits } from "./rejection.ts";
import {
  covers,
  intersect,
  type Intersection,
  majorityRange,
  type PossibleRange,
  type Range,
} from "./intersection.ts";
import { oneVoteEach } from "./one_vote.ts";
import { SIGMA_MULTIPLIER } from "./root_distance.ts";
import type { SelectionOptions } from "./selection_options.ts";
import type { SourceStatus } from "./status.ts";

export type { Candidate } from "./candidate.ts";
export type { SelectionOptions } from "./selection_options.ts";

/**
 * One that lies further outside of where most can be right than the nearest is cast off: by more
 * than so many times the smallest error bound.
 */
const NEAR = 0.5;

/** Claims barely touch whose common part is narrower than so many times the smallest bound. */
const TOUCH = 0.5;

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
  /**
   * Where most sources can be right, those that do not agree counted, and as far as the nearest one
   * that is used; where preferred ones give the time alone, where most of these can be. Undefined
   * when none is believed.
   */
  readonly possible: PossibleRange | undefined;
  /** Why no source is believed, in a sentence; undefined when one is. */
  readonly reason: string | undefined;
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
  const vote = voteOf(candidates, limitsOf(options));
  const { voters, statuses } = vote;
  const claims = voters.map(claimOf);
  const place = intersect(claims, options.estimate);
  if (place === undefined) {
    return nothingSelected({ statuses, reason: reasonWithoutVoters(vote), agreeing: 0 });
  }
  if (!isMajority(place, voters)) return withoutMajority(vote, place);
  const agreeing = voters.filter((each) => covers(claimOf(each), place));
  const others = voters.filter((each) => !agreeing.includes(each));
  const majority = { low: place.low, high: place.high, depth: place.depth, all: voters.length };
  for (const each of others) statuses.set(each.id, falseticker(each, majority));
  const reason = reasonAgainst(agreeing, candidates, options) ??
    options.objection?.(idsOf(agreeing), idsOf(unitedAmong(others)));
  if (reason === undefined) {
    const possible = present(majorityRange(claims), "A majority agrees somewhere");
    return accept({ statuses, agreeing, place, possible, previous: options.previous });
  }
  for (const { id } of agreeing) statuses.set(id, { status: "candidate", reason });
  return nothingSelected({
    statuses,
    reason: withUnused(reason, vote),
    agreeing: agreeing.length,
    interval: place,
  });
}

/** Finds who may vote, and what became of those that may not. */
function voteOf(candidates: readonly Candidate[], limits: RejectionLimits): Vote {
  const statuses = new Map<number, SourceStatus>();
  const fit: Candidate[] = [];
  for (const candidate of candidates.toSorted((a, b) => a.id - b.id)) {
    const status = rejection(candidate, limits);
    if (status === undefined) fit.push(candidate);
    else statuses.set(candidate.id, status);
  }
  const { voters, doubles } = oneVoteEach(fit);
  for (const [id, status] of doubles) statuses.set(id, status);
  return { candidates, voters, doubles, statuses };
}

/** Those of some that agree with most of them. */
function unitedAmong(candidates: readonly Candidate[]): readonly Candidate[] {
  const place = intersect(candidates.map((each) => claimOf(each)));
  return place === undefined ? [] : candidates.filter((each) => covers(claimOf(each), place));
}

function idsOf(candidates: readonly Candidate[]): readonly number[] {
  return candidates.map(({ id }) => id);
}

function limitsOf(options: SelectionOptions): RejectionLimits {
  return {
    samplesMin: options.samplesMin ?? 1,
    distanceMax: options.distanceMax ?? Infinity,
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
  const majority = {
    ...present(proven.interval, "A selection has an interval"),
    depth: proven.agreeing,
    all: proven.statuses.size,
  };
  for (const each of candidates.filter(({ id }) => !statuses.has(id))) {
    const { low, high } = claimOf(each);
    const agrees = low <= majority.high && high >= majority.low;
    statuses.set(
      each.id,
      rejection(each, limitsOf(options)) ??
        (agrees ? STANDBY : falseticker(each, majority)),
    );
  }
  return { ...proven, statuses };
}

const STANDBY: SourceStatus = {
  status: "candidate",
  reason: "Agrees, and stands by: authenticated sources give the time",
};

interface Accepted {
  readonly statuses: Map<number, SourceStatus>;
  readonly agreeing: readonly Candidate[];
  readonly place: Intersection;
  readonly possible: Range;
  readonly previous: number | undefined;
}

function accept(found: Accepted): Selection {
  const { statuses, agreeing, place } = found;
  markApart(found);
  const inside = agreeing.filter(({ id }) => !statuses.has(id));
  const preferredInside = inside.filter(({ prefer }) => prefer);
  const left = preferredInside.length > 0 ? preferredInside : inside;
  assert(left.length > 0, "Casting off outliers leaves some");
  const trusted = left.filter(({ trust }) => trust);
  const peer = choosePeer(trusted.length > 0 ? trusted : left, found.previous);
  for (const each of inside) statuses.set(each.id, useOf(each, { peer, left }));
  return {
    statuses,
    survivors: idsOf([peer, ...left.filter((each) => each !== peer).toSorted(byScore)]),
    systemPeer: peer.id,
    agreeing: agreeing.length,
    agreed: idsOf(agreeing),
    interval: { low: place.low, high: place.high },
    possible: preferredInside.length > 0 && !hasTrusted(agreeing)
      ? majorityRange(preferredInside.map(claimOf))
      : reaching(found.possible, left),
    reason: undefined,
  };
}

/**
 * Widens a range so far that the nearest of some sources, at least, lies in it; and to the nearest
 * on either side where claims barely touch, since then one of them is rather wrong than all are off
 * by as much as they admit.
 */
function reaching({ low, high }: Range, left: readonly Candidate[]): PossibleRange {
  const offsets = left.map(({ offset }) => offset);
  const narrowest = Math.min(...left.map(({ rootDistance }) => rootDistance));
  const isOutside = offsets.every((offset) => offset < low || offset > high);
  const isTouch = isOutside && high - low < TOUCH * narrowest;
  const below = isTouch ? offsets.filter((offset) => offset < low) : offsets;
  const above = isTouch ? offsets.filter((offset) => offset > high) : offsets;
  return {
    low: below.length > 0 ? Math.min(low, Math.max(...below)) : low,
    high: above.length > 0 ? Math.max(high, Math.min(...above)) : high,
    ...(isTouch ? { isTouch } : {}),
  };
}

function hasTrusted(agreeing: readonly Candidate[]): boolean {
  return agreeing.some(({ trust }) => trust);
}

/** Marks those that agree and stand apart all the same. */
function markApart({ statuses, agreeing, possible }: Accepted): void {
  const strays = findStrays(agreeing, possible);
  for (const [id, status] of strays) statuses.set(id, status);
  const outliers = findOutliers(agreeing.filter(({ id }) => !strays.has(id)));
  for (const { id, difference, expected, others } of outliers) {
    statuses.set(id, {
      status: "outlier",
      reason: `Offset differs by ${durationText(difference)} from ${others} others that agree, ` +
        `where ${durationText(expected)} is expected`,
    });
  }
}

/**
 * Finds those whose offset lies where most cannot be right: their own claim of how wrong they may
 * be, which costs a liar nothing, is no reason to let them move the time. Trusted ones are left, or
 * preferred ones where none is trusted, and where claims only just overlap those that lie about as
 * far outside as the nearest.
 */
function findStrays(
  agreeing: readonly Candidate[],
  { low, high }: Range,
): ReadonlyMap<number, SourceStatus> {
  const isBound = hasTrusted(agreeing);
  // negative for one that lies inside, by how far it does
  const apartOf = ({ offset }: Candidate) => Math.max(low - offset, offset - high);
  const nearest = Math.min(...agreeing.map(apartOf));
  const narrowest = Math.min(...agreeing.map(({ rootDistance }) => rootDistance));
  const limit = Math.max(0, nearest + NEAR * narrowest);
  const strays = new Map<number, SourceStatus>();
  for (const each of agreeing) {
    const { id, trust, prefer, offset, doubt } = each, apart = apartOf(each);
    // where others lie well inside, one that was cast off has to be clear of the edge
    const isSuspect = doubt !== undefined && limit === 0;
    const room = isSuspect ? Math.min(allowance(each), NEAR * narrowest) : 0;
    if (apart + room <= limit || trust || (prefer && !isBound)) continue;
    const where = apart > limit
      ? `lies ${durationText(apart)} outside`
      : "was outside before, and is too near to the edge of";
    const reason = `Offset ${durationText(offset)} ${where} the ` +
      `interval where most ${isBound ? "trusted sources" : "sources"} can be right`;
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

/** What a source claims; one that was found false has to agree without what chance may do. */
function claimOf(candidate: Candidate) {
  const { offset, rootDistance, trust, doubt } = candidate;
  const reach = doubt === "falseticker" ? rootDistance - allowance(candidate) : rootDistance;
  return {
    low: offset - reach,
    high: offset + reach,
    isTrusted: trust,
  };
}

/** The part of a root distance that is there for what chance may do to the offset. */
function allowance({ rootDistance, uncertainty }: Candidate): Seconds {
  return Math.min(rootDistance, SIGMA_MULTIPLIER * uncertainty);
}

/**
 * More than half of the trusted sources, or of all when none is trusted (RFC 5905 section 11.2.1).
 */
function isMajority(place: Intersection, fit: readonly Candidate[]): boolean {
  const trusted = fit.filter(({ trust }) => trust).length;
  return trusted > 0 ? place.trustedDepth * 2 > trusted : place.depth * 2 > fit.length;
}

/** On what a majority agrees. */
interface Majority {
  readonly low: Seconds;
  readonly high: Seconds;
  /** How many agree. */
  readonly depth: number;
  /** Of how many. */
  readonly all: number;
}

function falseticker(candidate: Candidate, majority: Majority): SourceStatus {
  const { low, high, depth, all } = majority;
  const { offset, rootDistance } = candidate;
  const apart = offset < low ? low - offset : offset - high;
  return {
    status: "falseticker",
    reason: `Offset ${durationText(offset)} lies ${durationText(apart)} outside the interval on ` +
      `which ${depth} of ${all} sources agree, with an error bound of ` +
      durationText(rootDistance) +
      (apart > rootDistance ? "" : ", which chance may explain, but not what was seen before"),
  };
}

function withoutMajority(vote: Vote, place: Intersection): Selection {
  const { voters, statuses } = vote;
  const reason = reasonWithoutMajority(vote, place);
  for (const { id, offset, rootDistance } of voters) {
    statuses.set(id, {
      status: "candidate",
      reason: `${reason}; offset ${durationText(offset)}, ` +
        `error bound ${durationText(rootDistance)}`,
    });
  }
  return nothingSelected({
    statuses,
    reason: withUnused(reason, vote),
    agreeing: place.depth,
  });
}

function nothingSelected(
  found: Pick<Selection, "statuses" | "agreeing"> & {
    readonly reason: string;
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
    possible: undefined,
    reason: found.reason,
  };
}
