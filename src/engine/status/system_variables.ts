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
   * The distance that a majority of those who agree stands behind, without what our estimate leaves
   * open.
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
  readonly whyMeasuring?: string | undefined;
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
  const more = maxClockError * age + Math.abs(offset) + unsupported;
  return {
    rootDelay: bound.rootDelay,
    rootDispersion: bound.rootDispersion + more,
    errorBound: bound.distance + more,
    growth: Math.max(maxClockError, SIGMA_MULTIPLIER * Math.sqrt(estimate.frequencyVariance)),
  };
}

/** Returns the state in a word, and why it is not "synchronized" in a sentence. */
export function systemState(
  knowledge: Knowledge,
  budget: ErrorBudget | undefined,
  whyNotSelected: string,
): { readonly state: SystemState; readonly why: string } {
  if (budget === undefined) return { state: "starting", why: whyNotSelected };
  // a bound that is no number is none
  if (!(budget.errorBound <= ERROR_BOUND_MAX)) {
    const bound = budget.errorBound.toFixed(3);
    return {
      state: "unsynchronized",
      why: knowledge.selected
        ? whyTooWrong(knowledge, bound)
        : `The clock may be wrong by ${bound} s by now: ${whyNotSelected}`,
    };
  }
  if (!knowledge.mayAdjust) {
    return knowledge.selected
      ? {
        state: "monitoring",
        why: `The clock is measured, not adjusted${reasonOf(knowledge)}`,
      }
      : {
        state: "unsynchronized",
        why: `The clock is not adjusted, and ${lowerFirst(whyNotSelected)}`,
      };
  }
  return knowledge.selected
    ? { state: "synchronized", why: "" }
    : { state: "holdover", why: whyNotSelected };
}

/**
 * Says why the clock is not right although sources agree: it is being corrected, or must not be.
 */
function whyTooWrong(knowledge: Knowledge, bound: string): string {
  if (knowledge.mayAdjust) {
    return knowledge.waiting ??
      `The clock may be wrong by ${bound} s while the offset is taken out`;
  }
  const position = clockPosition(knowledge.estimate?.offset ?? 0, 3);
  return `The clock is ${position} what the sources agree on, may be wrong by ${bound} s, and is not adjusted${
    reasonOf(knowledge)
  }`;
}

function reasonOf({ whyMeasuring }: Knowledge): string {
  return whyMeasuring === undefined ? "" : `: ${whyMeasuring}`;
}

/**
 * Returns the state of a clock that counts as right without a source (`local-stratum`):
 * synchronised, with a sentence that says by what; any other state as it is.
 */
export function withLocalReference(
  state: { readonly state: SystemState; readonly why: string },
  localStratum: number | undefined,
): { readonly state: SystemState; readonly why: string; readonly isLocal: boolean } {
  if (localStratum === undefined || isTimeKnown(state.state)) return { ...state, isLocal: false };
  const why = `The clock of this machine counts as right by local-stratum. ${state.why}`.trim();
  return { state: "synchronized", why, isLocal: true };
}

function lowerFirst(sentence: string): string {
  return sentence.slice(0, 1).toLowerCase() + sentence.slice(1);
}
