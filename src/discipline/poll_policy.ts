/**
 * How often a source is asked: as rarely as the accuracy allows, as often as it needs.
 *
 * Between two samples the error of the clock grows by the uncertainty of its frequency and by its
 * wander. While that growth over twice the interval stays well below the error of a sample (the
 * mean wait in the network, the noise of the timestamps), asking more rarely loses nothing. When it
 * exceeds the error of a sample, the source is asked more often.
 *
 * @module
 */
import type { PollExponent, Seconds } from "../base/units.ts";
import type { PollIntervalLimits } from "../config/config.ts";

/** The growth that is small enough to double the interval, in units of the error of a sample. */
const RAISE_BELOW = 0.25;
/** The growth that calls for halving it. */
const LOWER_ABOVE = 0.6;
/** So many samples at an interval before it is doubled. */
const SAMPLES_TO_RAISE = 4;

/** So many samples at all: before, neither the path nor the frequency is known well enough. */
const SAMPLES_TO_KNOW = 40;

/** What the choice rests on. */
export interface PollEvidence {
  /** Within the limits, unless those were just changed. */
  readonly current: PollExponent;
  /** Both ends may be chosen. */
  readonly limits: PollIntervalLimits;
  /** How many samples were taken at the current interval. */
  readonly samplesAtCurrent: number;
  /** How many samples are kept of the source. */
  readonly samples: number;
  /** The typical error of one sample. */
  readonly sampleError: Seconds;
  /** The variance of the frequency estimate. */
  readonly frequencyVariance: number;
  /** The wander of the frequency, as a variance per second. */
  readonly wanderVariance: number;
  /** Whether the last sample was an outlier. */
  readonly isOutlier: boolean;
  /** Whether selection found the source to be wrong: nothing is lost by asking it rarely. */
  readonly wrong: boolean;
}

/** Returns the poll exponent to use from now on. */
export function choosePoll(evidence: PollEvidence): PollExponent {
  const { current, limits, sampleError } = evidence;
  const clamp = (poll: PollExponent) => Math.min(limits.max, Math.max(limits.min, poll));
  if (evidence.wrong) {
    return clamp(evidence.samplesAtCurrent < SAMPLES_TO_RAISE ? current : current + 1);
  }
  let poll = current;
  while (poll > limits.min && errorGrowth(evidence, 2 ** poll) > LOWER_ABOVE * sampleError) poll--;
  if (poll < current) return clamp(poll);
  if (evidence.isOutlier || evidence.samplesAtCurrent < SAMPLES_TO_RAISE) return clamp(current);
  if (evidence.samples < SAMPLES_TO_KNOW) return clamp(current);
  const further = errorGrowth(evidence, 2 ** (current + 1));
  return clamp(further < RAISE_BELOW * sampleError ? current + 1 : current);
}

/** The standard deviation that the offset gains over an interval without a sample. */
function errorGrowth(evidence: PollEvidence, interval: Seconds): Seconds {
  return Math.sqrt(
    evidence.frequencyVariance * interval ** 2 + evidence.wanderVariance * interval ** 3 / 3,
  );
}
