/**
 * Decides when the frequency is worth saving, so that the next start need not learn it again.
 *
 * @module
 */
import type { MonotonicSeconds, Ppm, Seconds } from "../base/units.ts";
import type { SystemEstimate } from "../discipline/discipline.ts";
import type { Action } from "./events.ts";

const PPM = 1e-6;
/** An estimate worse than this is not worth keeping. */
const DEVIATION_MAX: Ppm = 1;
const INTERVAL: Seconds = 3600;

/** Remembers when the frequency was saved last. */
export class DriftKeeper {
  #savedAt: MonotonicSeconds = -Infinity;

  /** Saves the frequency when it is good and has not been saved for an hour. */
  consider(estimate: SystemEstimate, now: MonotonicSeconds): readonly Action[] {
    if (now - this.#savedAt < INTERVAL) return [];
    const actions = this.save(estimate);
    if (actions.length > 0) this.#savedAt = now;
    return actions;
  }

  /** Saves the frequency if it is good. */
  save(estimate: SystemEstimate | undefined): readonly Action[] {
    if (estimate === undefined) return [];
    const skew = Math.sqrt(estimate.frequencyVariance) / PPM;
    if (skew > DEVIATION_MAX) return [];
    return [{ type: "save-drift", frequency: estimate.frequency / PPM, skew }];
  }
}
