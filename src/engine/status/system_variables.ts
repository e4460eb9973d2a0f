/**
 * What we say of our own time: the system variables of RFC 5905 section 11.1 and the state in
 * words.
 *
 * The error bound is the sum of what can be wrong: half the round trip to the reference clock, the
 * dispersion of the servers on the way, what our estimate does not know, and what is known but not
 * yet slewed out. Time without samples makes it grow by the uncertainty of the frequency, so
 * holdover needs no special case.
 *
 * @module
 */
import { clockPosition } from "../../base/clock_position.ts";
import type { NtpTimestamp } from "../../base/ntp_timestamp.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { SystemEstimate } from "../../discipline/discipline.ts";
import {
  rootDistance,
  type ServerQuality,
  SIGMA_MULTIPLIER,
} from "../../selection/root_distance.ts";
import { isTimeKnown, type SystemState } from "./snapshot.ts";

/** Beyond this error the clock must not be called synchronised (RFC 5905 MAXDIST). */
export const ERROR_BOUND_MAX: Seconds = 1.5;
/** Stratum 16 means unsynchronised. */
export const STRATUM_UNSYNCHRONIZED = 16;

/** The peer that our time is traced to, as it was when it was last chosen. */
export interface Reference {
  /** Its number in the engine. */
  readonly association: number;
  /** Of its address, what we tell others to be ours; 32 bits. */
  readonly referenceId: number;
  /** The same in words. */
  readonly referenceIdText: string;
  /** Ours: one more than its own. */
  readonly stratum: number;
  /** What it said of itself when it was last heard. */
  readonly server: ServerQuality;
  /** The smallest round trip to it that was measured. */
  readonly delay: Seconds;
  /**
   * The distance that a majority of the agreeing sources stands behind, without what our estimate
   * leaves open.
   */
  readonly supported: Seconds;
  /** When it was last heard, for the age of its root dispersion. */
  readonly updatedAt: MonotonicSeconds;
  /** The local clock when it was last chosen. */
  readonly referenceTime: NtpTimestamp;
}

/** What is known when the variables are computed. */
export interface Knowledge {
  /** The moment for which the variables are computed. */
  readonly now: MonotonicSeconds;
  /** Whether the clock may be adjusted: configured and permitted. */
  readonly mayAdjust: boolean;
  /** How fast the error of the clock may grow without notice, seconds per second. */
  readonly maxClockError: number;
  /**
   * Why the clock may not be adjusted, in a sentence; undefined or left out when it may, or when
   * that is not known.
   */
  readonly notAdjustedReason?: string | undefined;
  /** Whether selection has a majority at this moment. */
  readonly selected: boolean;
  /** Undefined until one has been chosen since the last start; kept when sources are lost. */
  readonly reference: Reference | undefined;
  /** Undefined before the first believed sample. */
  readonly estimate: SystemEstimate | undefined;
  /**
   * Why the clock is left alone although sources agree, in a sentence; undefined or left out when
   * it is not.
   */
  readonly waiting?: string | undefined;
  /** How far the reference is from the estimate, with its variance. */
  readonly distance: { readonly offset: Seconds; readonly variance: number } | undefined;
}

/** The error of the clock, as we tell it. */
export interface ErrorBudget {
  /** The round trip to the primary source by way of all servers in between. */
  readonly rootDelay: Seconds;
  /** All that may be wrong besides half of the root delay. */
  readonly rootDispersion: Seconds;
  /** Half of the one and all of the other. */
  readonly errorBound: Seconds;
  /** How fast the dispersion grows without news, seconds per second. */
  readonly growth: number;
}

/** How the clock stands, and why in a sentence. */
export interface StateDescription {
  /** The word. */
  readonly state: SystemState;
  /** Empty when the clock is synchronised by sources. */
  readonly reason: string;
}

/** Sums up what can be wrong; undefined while nothing is known. */
export function errorBudget(knowledge: Knowledge): ErrorBudget | undefined {
  const { reference, estimate } = knowledge;
  if (reference === undefined || estimate === undefined) return undefined;
  const { offset, variance } = knowledge.distance ??
    { offset: estimate.offset, variance: estimate.offsetVariance };
  // a response that is doubted is no news of the clock
  const age = Math.max(0, knowledge.now - reference.updatedAt, estimate.age);
  const { server, delay } = reference;
  const bound = rootDistance(server, { delay, uncertainty: Math.sqrt(variance) });
  // one server alone, which may lie about itself, must not make the bound smaller than a majority
  // would
  const claimed = rootDistance(server, { delay, uncertainty: 0 }).distance;
  const unsupported = Math.max(0, reference.supported - claimed);
  const { maxClockError } = knowledge;
  const more = maxClockError * age + Math.abs(offset) + unsupported + estimate.doubt;
  return {
    rootDelay: bound.rootDelay,
    rootDispersion: bound.rootDispersion + more,
    errorBound: bound.distance + more,
    growth: Math.max(maxClockError, SIGMA_MULTIPLIER * Math.sqrt(estimate.frequencyVariance)),
  };
}

/** Returns how the clock stands. */
export function systemState(knowledge: Knowledge, budget: ErrorBudget | undefined): SystemState {
  if (budget === undefined) return "starting";
  if (isTooLarge(budget)) return "unsynchronized";
  if (!knowledge.mayAdjust) return knowledge.selected ? "monitoring" : "unsynchronized";
  return knowledge.selected ? "synchronized" : "holdover";
}

/**
 * Returns why the state is not "synchronized", in a sentence; empty when it is. `noSelection` says
 * why no source is selected.
 */
export function stateReason(
  knowledge: Knowledge,
  { budget, noSelection }: {
    readonly budget: ErrorBudget | undefined;
    readonly noSelection: string;
  },
): string {
  const { selected, mayAdjust } = knowledge;
  if (budget === undefined) return noSelection;
  if (isTooLarge(budget)) {
    const bound = budget.errorBound.toFixed(3);
    return selected
      ? boundReason(knowledge, bound)
      : `The clock may be wrong by ${bound} s by now: ${noSelection}`;
  }
  if (mayAdjust) return selected ? "" : noSelection;
  return selected
    ? `The clock is measured, not adjusted${adjustmentReason(knowledge)}`
    : `The clock is not adjusted, and ${lowerFirst(noSelection)}`;
}

/** A bound that is not a number is too large. */
function isTooLarge({ errorBound }: ErrorBudget): boolean {
  return !(errorBound <= ERROR_BOUND_MAX);
}

/** Says why the error is too large although sources agree. */
function boundReason(knowledge: Knowledge, bound: string): string {
  if (knowledge.mayAdjust) {
    return knowledge.waiting ??
      `The clock may be wrong by ${bound} s while the offset is being corrected`;
  }
  const position = clockPosition(knowledge.estimate?.offset ?? 0, 3);
  return `The clock is ${position} what the sources agree on, may be wrong by ${bound} s, and is not adjusted${
    adjustmentReason(knowledge)
  }`;
}

function adjustmentReason({ notAdjustedReason }: Knowledge): string {
  return notAdjustedReason === undefined ? "" : `: ${notAdjustedReason}`;
}

/**
 * Returns the state of a clock that counts as right without a source (`local-stratum`):
 * synchronised, with a sentence that says by what; any other state as it is.
 */
export function withLocalReference(
  { state, reason }: StateDescription,
  localStratum: number | undefined,
): StateDescription & { readonly isLocal: boolean } {
  if (localStratum === undefined || isTimeKnown(state)) return { state, reason, isLocal: false };
  const local = `The clock of this machine is declared correct by local-stratum. ${reason}`.trim();
  return { state: "synchronized", reason: local, isLocal: true };
}

function lowerFirst(sentence: string): string {
  return sentence.slice(0, 1).toLowerCase() + sentence.slice(1);
}
