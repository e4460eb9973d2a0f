/**
 * What is believed of the clock's frequency before anything is measured.
 *
 * @module
 */
import { PPM, type Ppm } from "../../base/units.ts";
import type { FrequencyPrior } from "../../discipline/ensemble.ts";

/** What is believed of the frequency without a drift file. */
const DEVIATION: Ppm = 100;
/** A drift file is not believed more than this: temperature and age have gone on. */
const DRIFT_DEVIATION_MIN: Ppm = 1;
/** If the samples speak against the drift file, the frequency may be off by so much more. */
const DRIFT_FALLBACK_DEVIATION: Ppm = 200;

/** Believes that the correction in force is about right. */
export function priorOfKernel(frequency: Ppm): FrequencyPrior {
  return { frequency: frequency * PPM, variance: (DEVIATION * PPM) ** 2 };
}

/** Believes a drift file, and says what else to believe should the samples speak against it. */
export function priorOfDrift(
  drift: { readonly frequency: Ppm; readonly skew: Ppm },
): FrequencyPrior {
  return {
    frequency: drift.frequency * PPM,
    variance: (Math.max(DRIFT_DEVIATION_MIN, drift.skew) * PPM) ** 2,
    fallbackVariance: (DRIFT_FALLBACK_DEVIATION * PPM) ** 2,
  };
}
