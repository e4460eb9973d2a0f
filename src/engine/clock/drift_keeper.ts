/**
 * Decides when the frequency is worth saving, so that the next start need not learn it again.
 *
 * @module
 */
import { type MonotonicSeconds, PPM, type Ppm, type Seconds } from "../../base/units.ts";
import type { SystemEstimate } from "../../discipline/discipline.ts";
import type { Action } from "../events.ts";

/**
 * While ntpsd runs, an estimate worse than this is not worth keeping: a better one is soon there.
 */
const DEVIATION_MAX: Ppm = 1;
/**
 * At the end there is no better one to come; worse than this says less than that a clock is a
 * clock.
 */
const DEVIATION_MAX_AT_END: Ppm = 25;
const INTERVAL: Seconds = 3600;

/** Remembers when the frequency was saved last. */
export class DriftKeeper {
  #savedAt: MonotonicSeconds = -Infinity;

  /** Saves the frequency when it is good and has not been saved for an hour. */
  consider(estimate: SystemEstimate, now: MonotonicSeconds): readonly Action[] {
    if (now - this.#savedAt < INTERVAL) return [];
    const actions = saved(estimate, DEVIATION_MAX);
    if (actions.length > 0) this.#savedAt = now;
    return actions;
  }

  /**
   * Saves the frequency at the end, however short the run was; its uncertainty goes with it, and
   * what an earlier run had found is part of it.
   */
  finish(estimate: SystemEstimate | undefined): readonly Action[] {
    return estimate === undefined ? [] : saved(estimate, DEVIATION_MAX_AT_END);
  }
}

function saved(estimate: SystemEstimate, deviationMax: Ppm): readonly Action[] {
  const skew = Math.sqrt(estimate.likelyFrequencyVariance) / PPM;
  if (!(skew <= deviationMax)) return [];
  return [{ type: "save-drift", frequency: estimate.frequency / PPM, skew }];
}
