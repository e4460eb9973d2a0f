/**
 * Why no source is believed, in a sentence: nothing fit, no majority, too few that agree, none that
 * is required.
 *
 * @module
 */
import type { Candidate } from "./candidate.ts";
import { describeCauses, describeNames } from "./causes.ts";
import type { Intersection } from "./intersection.ts";
import type { Voters } from "./one_vote.ts";
import type { SelectionOptions } from "./selection_options.ts";
import type { SourceStatus } from "./status.ts";

/** A selection under way. */
export interface Vote extends Voters {
  /** All sources. */
  readonly candidates: readonly Candidate[];
  /** What became of those that are out of it. */
  readonly statuses: Map<number, SourceStatus>;
}

/** Says why there is no time when no source is fit to be asked. */
export function reasonWithoutVoters({ candidates, statuses }: Vote): string {
  if (candidates.length === 0) return "There is no source";
  // without their number: sources that have no server yet are none of the candidates
  return `No source is usable: ${describeCauses(reasonsOf(candidates, statuses))}`;
}

/** Says that most sources do not agree; `place` is where most do. */
export function reasonWithoutMajority({ voters }: Vote, place: Intersection): string {
  const trusted = voters.filter(({ trust }) => trust).length;
  const [most, all] = trusted > 0 ? [place.trustedDepth, trusted] : [place.depth, voters.length];
  const kind = trusted > 0 ? "trusted sources" : "sources";
  return `No majority: at most ${most} of ${all} ${kind} agree`;
}

/** Says why sources that agree are not followed all the same; undefined when they are. */
export function reasonAgainst(
  agreeing: readonly Candidate[],
  all: readonly Candidate[],
  options: SelectionOptions,
): string | undefined {
  const minimum = options.minimumAgreeing;
  if (agreeing.length < minimum && !areTrustedEnough(agreeing, options)) {
    const count = agreeing.length === 1 ? "1 source agrees" : `${agreeing.length} sources agree`;
    return `Only ${count}, minimum-agreeing-sources is ${minimum}`;
  }
  const required = options.required ?? all.filter(({ require }) => require).map(({ name }) => name);
  if (required.length === 0 || agreeing.some(({ require }) => require)) return undefined;
  return `No required source is among the ${agreeing.length} that agree (${
    describeNames(required)
  })${remedyOf(agreeing, options)}`;
}

/** Says what lets those that agree set the clock, if there is a key that does. */
function remedyOf(agreeing: readonly Candidate[], options: SelectionOptions): string {
  const { authentication, isRequireWritten = false } = options;
  const isMixed = authentication === "mix" && agreeing.every((each) => !each.isAuthenticated);
  if (!isRequireWritten && !isMixed) return "";
  const key = isRequireWritten
    ? "require = false in their [[source]]"
    : 'authentication = "prefer" in [synchronization]';
  return `; while they cannot be reached, ${key} lets the others set the clock`;
}

/**
 * Tells whether there are enough trusted sources among those that agree: the others decide nothing,
 * so that their silence or disagreement is no reason to leave the clock alone.
 */
function areTrustedEnough(
  agreeing: readonly Candidate[],
  { minimumTrusted = Infinity }: SelectionOptions,
): boolean {
  return agreeing.filter(({ trust }) => trust).length >= minimumTrusted;
}

/** Says beside why there is no time which sources could not count, and why. */
export function withUnused(reason: string, { candidates, statuses, doubles }: Vote): string {
  const unused = candidates.filter(({ id }) => {
    if (doubles.has(id)) return true;
    const status = statuses.get(id)?.status;
    return status !== "candidate" && status !== "starting" && status !== "no-select";
  });
  if (unused.length === 0) return reason;
  return `${reason}; not used: ${describeCauses(reasonsOf(unused, statuses))}`;
}

function reasonsOf(candidates: readonly Candidate[], statuses: ReadonlyMap<number, SourceStatus>) {
  return candidates.toSorted((a, b) => a.id - b.id)
    .map(({ id, name }) => ({ name, reason: statuses.get(id)?.reason ?? "" }));
}
