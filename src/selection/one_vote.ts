/**
 * One server has one vote, however many sources lead to it.
 *
 * The idea: of the candidates that ask the same server, the one that proves who answers votes, else
 * the first; the others only watch. What the administrator made of them (trusted, required,
 * preferred) holds for the one that votes, since it is of the same server. Only fit candidates lend
 * that: a source that has never responded cannot make another one trusted.
 *
 * @module
 */
import type { Candidate } from "./candidate.ts";
import type { SourceStatus } from "./status.ts";

/** Who votes, and who does not although it is fit. */
export interface Voters {
  /** In the order of their numbers. */
  readonly voters: readonly Candidate[];
  /** The others, with the sentence that says who votes for them. */
  readonly doubles: ReadonlyMap<number, SourceStatus>;
}

/** Takes fit candidates, and leaves each server one of them. */
export function oneVoteEach(fit: readonly Candidate[]): Voters {
  const voters: Candidate[] = [];
  const doubles = new Map<number, SourceStatus>();
  // where among the voters the one with an identity is
  const places = new Map<string, number>();
  for (const candidate of fit.toSorted((a, b) => rank(b) - rank(a))) {
    const { identities = [] } = candidate;
    const place = placeOf(identities, places);
    const voter = voters[place];
    if (voter === undefined) {
      for (const identity of identities) places.set(identity, voters.length);
      voters.push(candidate);
      continue;
    }
    voters[place] = withMeaning(voter, candidate);
    const reason = `Has the same address as ${voter.name}, which votes for both`;
    doubles.set(candidate.id, { status: "candidate", reason });
  }
  return { voters: voters.toSorted((a, b) => a.id - b.id), doubles };
}

function rank({ isAuthenticated }: Candidate): number {
  return isAuthenticated ? 1 : 0;
}

/** Finds the first voter that shares an identity; Infinity when there is none. */
function placeOf(identities: readonly string[], places: ReadonlyMap<string, number>): number {
  let first = Infinity;
  for (const identity of identities) first = Math.min(first, places.get(identity) ?? Infinity);
  return first;
}

function withMeaning(voter: Candidate, double: Candidate): Candidate {
  return {
    ...voter,
    prefer: voter.prefer || double.prefer,
    trust: voter.trust || double.trust,
    require: voter.require || double.require,
  };
}
