/**
 * A source as selection sees it, for tests of selection: one that is right and has nothing special.
 *
 * @module
 */
import type { Candidate } from "../../src/selection/candidate.ts";

/** Describes a source with a number; `change` says in what it is not plain. */
export function plainCandidate(id: number, change: Partial<Candidate> = {}): Candidate {
  return {
    id,
    name: `s${id}`,
    offset: 0,
    uncertainty: 1e-5,
    rootDistance: 0.01,
    jitter: 1e-4,
    stratum: 2,
    isReachable: true,
    unanswered: 0,
    isSynchronized: true,
    isLoop: false,
    isDenied: false,
    samples: 4,
    noSelect: false,
    prefer: false,
    trust: false,
    require: false,
    isAuthenticated: false,
    ...change,
  };
}
