/**
 * What an estimate is worth after some time without a sample: the offset goes on with the
 * frequency, and both get less certain.
 *
 * Limits: a time before the estimate makes nothing more certain.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { ClockEstimate } from "./filter_bank.ts";

/** Returns an estimate some seconds after it was made, without a sample; negative ones go back. */
export function estimateAfter(now: ClockEstimate, seconds: Seconds): ClockEstimate {
  const ahead = Math.max(0, seconds);
  return {
    ...now,
    offset: now.offset + seconds * now.frequency,
    offsetVariance: offsetVarianceAt(now, ahead),
    frequencyVariance: now.frequencyVariance + now.wanderVariance * ahead,
    likelyFrequencyVariance: now.likelyFrequencyVariance + now.likelyWanderVariance * ahead,
    covariance: now.covariance + ahead * now.frequencyVariance,
  };
}

/**
 * The variance of the offset `ahead` seconds from now without a sample; a sum of terms none of
 * which is negative.
 */
function offsetVarianceAt(now: ClockEstimate, ahead: Seconds): number {
  const { offsetVariance, frequencyVariance, covariance } = now;
  if (!(frequencyVariance > 0)) return offsetVariance + walked(now.wanderVariance, ahead);
  // what the frequency explains of the offset, and what it does not
  const slope = covariance / frequencyVariance;
  const unexplained = Math.max(0, offsetVariance - slope * covariance);
  return unexplained + (ahead + slope) ** 2 * frequencyVariance +
    walked(now.wanderVariance, ahead);
}

/** What the walk of the frequency adds to the variance of the offset, in square seconds. */
export function walked(wanderVariance: number, ahead: Seconds): number {
  return wanderVariance * ahead * ahead * ahead / 3;
}
