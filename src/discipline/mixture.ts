/**
 * What a sample says of a belief: a mixture of the explanations of its error.
 *
 * Its error is that of waits in queues, and the sample an interval; or it is noise that the delay
 * does not tell, and the sample a bell curve; or the sample is an outlier and says next to nothing.
 * Each explanation changes the belief by as much as it is believed itself.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import { type Evidence, gaussianEvidence, intervalEvidence, type SoftInterval } from "./normal.ts";

/** How often a sample is an outlier: the weight of the broad part of its density. */
const OUTLIER_PROBABILITY = 0.005;
const LOG_OUTLIER_PROBABILITY = Math.log(OUTLIER_PROBABILITY);

/** What a sample says of the offset, under each of the two explanations of its error. */
export interface Observation {
  /** Where the offset lies if what disturbs samples is waiting in queues. */
  readonly interval: SoftInterval;
  /** The mean wait, which scales how far off an outlier may be. */
  readonly spread: Seconds;
  /** The variance of the sample if what disturbs it is noise that its delay does not tell. */
  readonly noiseVariance: number;
  /** The probability that queues are what disturbs this source's samples. */
  readonly queueProbability: number;
}

/** The same, as every belief is compared with it. */
export interface SampleErrors {
  /** Where the offset lies if queues disturb the sample. */
  readonly interval: SoftInterval;
  /** The logarithm of the probability that they do. */
  readonly logQueueProbability: number;
  /** The middle of the interval. */
  readonly mean: Seconds;
  /** The variance if noise disturbs it. */
  readonly noiseVariance: number;
  /** The logarithm of the probability of that. */
  readonly logNoiseProbability: number;
  /** The least standard deviation of an outlier. */
  readonly broad: Seconds;
}

/** Prepares an observation for the comparison with any number of beliefs. */
export function errorsOf(
  { interval, spread, noiseVariance, queueProbability }: Observation,
): SampleErrors {
  const half = 0.5 * (interval.high - interval.low);
  return {
    interval,
    logQueueProbability: Math.log((1 - OUTLIER_PROBABILITY) * queueProbability),
    mean: 0.5 * (interval.low + interval.high),
    noiseVariance,
    logNoiseProbability: Math.log((1 - OUTLIER_PROBABILITY) * (1 - queueProbability)),
    broad: 10 * spread + 2 * half + 10 * interval.softness,
  };
}

/** The evidence of one sample for one belief, by explanation and mixed; used again for the next. */
export class Mixture {
  /** If queues disturb it. */
  readonly queues: Evidence = { logEvidence: 0, slope: 0, remaining: 1 };
  /** If noise does. */
  readonly noise: Evidence = { logEvidence: 0, slope: 0, remaining: 1 };
  /** All explanations together. */
  readonly mixed: Evidence = { logEvidence: 0, slope: 0, remaining: 1 };
  readonly #outlier: Evidence = { logEvidence: 0, slope: 0, remaining: 1 };

  /** Computes all evidence; returns the probability that the sample is an outlier. */
  weigh(
    errors: SampleErrors,
    belief: { readonly mean: number; readonly variance: number },
  ): number {
    const { interval, mean, noiseVariance, broad } = errors;
    const apart = mean - belief.mean;
    const queues = intervalEvidence(interval, belief, this.queues);
    const noise = gaussianEvidence({ mean, variance: noiseVariance }, belief, this.noise);
    // as broad as it is far away: an outlier must not pull, however large it is
    const stray = { mean, variance: broad * broad + apart * apart };
    const outlier = gaussianEvidence(stray, belief, this.#outlier);
    const logQueues = queues.logEvidence + errors.logQueueProbability;
    const logNoise = noise.logEvidence + errors.logNoiseProbability;
    const logOutlier = outlier.logEvidence + LOG_OUTLIER_PROBABILITY;
    const largest = Math.max(logQueues, logNoise, logOutlier);
    const a = Math.exp(logQueues - largest);
    const b = Math.exp(logNoise - largest);
    const c = Math.exp(logOutlier - largest);
    const sum = a + b + c;
    const slope = (a * queues.slope + b * noise.slope + c * outlier.slope) / sum;
    const mixed = this.mixed;
    mixed.logEvidence = largest + Math.log(sum);
    mixed.slope = slope;
    const { variance } = belief;
    const left = (part: Evidence) => part.remaining + variance * (part.slope - slope) ** 2;
    mixed.remaining = (a * left(queues) + b * left(noise) + c * left(outlier)) / sum;
    return c / sum;
  }
}
