/**
 * What the server may say of our clock, as plain numbers (RFC 5905 section 7.3).
 *
 * @module
 */
import { LEAP, type LeapIndicator } from "../../protocol/leap_indicator.ts";
import type { ServerClockState } from "../../server/clock_state.ts";
import { isTimeKnown } from "./snapshot.ts";
import { errorBudget, type Knowledge, systemState } from "./system_variables.ts";

/** Our clock, for clients; its precision is known where it is read. */
export type ServedTime =
  | { readonly synchronized: false }
  | { readonly synchronized: true } & Omit<ServerClockState, "precision">;

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
