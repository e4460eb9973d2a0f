/**
 * What the server may say of our clock, as plain numbers (RFC 5905 section 7.3).
 *
 * @module
 */
import type { NtpTimestamp } from "../../base/ntp_timestamp.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import { LEAP, type LeapIndicator } from "../../protocol/leap_indicator.ts";
import { isTimeKnown } from "./snapshot.ts";
import { errorBudget, type Knowledge, systemState } from "./system_variables.ts";

/** Our clock, for clients. */
export type ServedTime =
  | { readonly synchronized: false }
  | {
    readonly synchronized: true;
    /** The two bits of the header. */
    readonly leapIndicator: number;
    readonly stratum: number;
    readonly rootDelay: Seconds;
    /** At `updatedAt`. */
    readonly rootDispersion: Seconds;
    /** How fast the root dispersion grows without news, seconds per second. */
    readonly dispersionRate: number;
    readonly referenceId: number;
    readonly referenceTimestamp: NtpTimestamp;
    readonly updatedAt: MonotonicSeconds;
  };

/**
 * Says what may be said of our clock, given what is known of it; whatever is wrong, what is not
 * known is not served.
 */
export function servedTimeOf(
  knowledge: () => Knowledge,
  leap: () => LeapIndicator,
): ServedTime {
  try {
    return describeTime(knowledge(), leap);
  } catch {
    return { synchronized: false };
  }
}

function describeTime(knowledge: Knowledge, leap: () => LeapIndicator): ServedTime {
  const budget = errorBudget(knowledge);
  const state = systemState(knowledge, budget);
  const { reference } = knowledge;
  if (reference === undefined || budget === undefined || !isTimeKnown(state)) {
    return { synchronized: false };
  }
  return {
    synchronized: true,
    leapIndicator: LEAP[leap()],
    stratum: reference.stratum,
    rootDelay: budget.rootDelay,
    rootDispersion: budget.rootDispersion,
    dispersionRate: budget.growth,
    referenceId: reference.referenceId,
    referenceTimestamp: reference.referenceTime,
    updatedAt: knowledge.now,
  };
}
