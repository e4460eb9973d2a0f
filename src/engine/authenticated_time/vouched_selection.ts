/**
 * What authenticated sources make of a selection: whether they vouch for its time, contest it, or
 * object to its majority.
 *
 * @module
 */
import { type Config, isAuthenticated } from "../../config/config.ts";
import type { Contradiction } from "../../selection/candidate.ts";
import type { Selection } from "../../selection/select.ts";
import type { SelectionOptions } from "../../selection/selection_options.ts";
import type { MemberOfSource } from "../sources/source_set.ts";
import { hostsThatProve, votesOf } from "./vouchers.ts";

/** Says why a majority is none, given those that agree on its time and those that do not. */
export type Objection = NonNullable<SelectionOptions["objection"]>;

/**
 * So many authenticated sources vouch for a time: as many as must agree on it, or all when there
 * are fewer.
 */
export function vouchersNeeded({ sources, synchronization }: Config): number {
  return Math.min(synchronization.minimumAgreeingSources, hostsThatProve(sources));
}

/**
 * Tells whether at least `needed` authenticated parties, and more than are falsetickers, agree on
 * the time of a selection.
 */
export function hasVouchers(
  members: readonly MemberOfSource[],
  { selection: { agreed, statuses }, needed }: {
    readonly selection: Selection;
    readonly needed: number;
  },
): boolean {
  const vouching = votesAmong(members, (id) => agreed.includes(id));
  if (vouching === 0 || vouching < needed) return false;
  return vouching > votesAmong(members, (id) => statuses.get(id)?.status === "falseticker");
}

/**
 * Tells whether as many authenticated parties as vouch for a time say that what has certainly
 * passed has not. Nothing tells which of the two is right, so the time is not known.
 */
export function isContested(
  members: readonly MemberOfSource[],
  found: {
    readonly impossible: ReadonlyMap<number, Contradiction>;
    readonly falsetickers: readonly number[];
    readonly needed: number;
  },
): boolean {
  const { impossible, falsetickers, needed } = found;
  // those that do not answer any more say nothing
  const against = votesAmong(
    members,
    (id) => impossible.get(id)?.kind === "past" && falsetickers.includes(id),
  );
  return against > 0 && against >= needed;
}

/**
 * Returns what authenticated sources object to a majority: many servers are none where they are of
 * fewer parties than those that prove themselves and agree on another time.
 */
export function objectionAmong(members: readonly MemberOfSource[]): Objection {
  return (agreeing, others) => {
    const against = votesAmong(members, (id) => others.includes(id));
    if (against === 0) return undefined;
    const inFavour = votesAmong(members, (id) => agreeing.includes(id));
    if (inFavour === 0 || against <= inFavour) return undefined;
    return `${agreeing.length} sources agree, but they count as only ${inFavour} by host and ` +
      `public key, and others that count as ${against} agree on another time`;
  };
}

/**
 * Counts the authenticated parties behind some members; those that are only watched have no vote.
 */
function votesAmong(members: readonly MemberOfSource[], isOne: (id: number) => boolean): number {
  return votesOf(
    members.filter(({ association, config }) =>
      isAuthenticated(config) && !config.noSelect && isOne(association.id)
    ),
  );
}
