/**
 * By how much the newest samples of a source missed what was expected, and what that says of the
 * clock.
 *
 * A sample that is hardly believable may be a lie, or show that the clock has changed. Then all
 * other sources show the same, each as well as its samples can: the change grows from the last
 * sample that was believed, and each later one of another source is more likely with it or without
 * it. Until they have told, the clock may be off by what has shown.
 *
 * Limits: how the change grew in between is not known; it is taken to have done so evenly, from
 * some moment on.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import { SIGMA_MULTIPLIER } from "../selection/root_distance.ts";
import type { UpdateOutcome } from "./filter_bank.ts";
import type { SourceTrack } from "./source_track.ts";

/** A sample counts as an outlier beyond this probability. */
const OUTLIER_LIMIT = 0.5;
/** So many outliers in a row show that the clock or the path has changed. */
export const OUTLIER_STREAK = 3;
/** The least and the greatest change of frequency that is then assumed: no oscillator does more. */
const FREQUENCY_CHANGE_MIN = 20e-6;
const FREQUENCY_CHANGE_MAX = 500e-6;

/** Where the middle of a sample lay from what was expected, and the variance of both. */
interface ShownMiss {
  readonly time: Seconds;
  readonly miss: Seconds;
  readonly missVariance: number;
}

/** A change of the clock that has grown to `miss` over a time. */
export interface Shift {
  /** Positive when the source is ahead of what was expected. */
  readonly miss: Seconds;
  /** When there was nothing of it yet, by the last sample that was believed. */
  readonly since: Seconds;
  /** When it had shown. */
  readonly until: Seconds;
}

/** What the newest samples of a source missed what a filter expected by. */
export class Misses {
  readonly #track: SourceTrack;
  /** The newest samples, as many as make a streak. */
  readonly #newest: ShownMiss[] = [];
  /** When its last sample that is no outlier was taken. */
  #trustedAt: Seconds;

  /** The source is taken to have been believed until this time. */
  constructor(track: SourceTrack, trustedAt: Seconds) {
    this.#track = track;
    this.#trustedAt = trustedAt;
  }

  /** Takes in what the update with a sample found. */
  take(outcome: UpdateOutcome, time: Seconds): void {
    this.#newest.push({ time, miss: outcome.miss, missVariance: outcome.missVariance });
    if (this.#newest.length > OUTLIER_STREAK) this.#newest.shift();
    if (!isOutlier(outcome)) this.#trustedAt = time;
  }

  /** The change of the clock that would explain its last sample. */
  get shift(): Shift {
    const { miss = 0, time = this.#trustedAt } = this.#newest.at(-1) ?? {};
    return { miss, since: this.#trustedAt, until: time };
  }

  /**
   * How much the samples since that change began speak for it: a difference of logarithms of
   * likelihoods, from -1 to 1, so that no source outvotes two others. One that would have seen it
   * and was not heard since speaks against it.
   */
  evidenceFor(shift: Shift): number {
    const heard = this.#newest.filter(({ time }) => time > shift.since);
    if (heard.length === 0) return this.#track.delays.sampleError < Math.abs(shift.miss) ? -1 : 0;
    return evidenceOf(heard, shift);
  }

  /** The same by the samples since the change has shown; 0 if there are none. */
  evidenceAfter(shift: Shift): number {
    return evidenceOf(this.#newest.filter(({ time }) => time > shift.until), shift);
  }
}

/** What is not seen may have begun later: that is all that a sample from before says against it. */
function evidenceOf(heard: readonly ShownMiss[], { miss, since, until }: Shift): number {
  const evidence = heard.reduce((sum, sample) => {
    const part = Math.min(1, (sample.time - since) / (until - since));
    const shift = part * miss;
    const ratio = shift * (sample.miss - 0.5 * shift) / sample.missVariance;
    return sum + Math.max(Math.log1p(-part), ratio);
  }, 0);
  return Math.min(1, Math.max(-1, evidence));
}

/**
 * By how much the clock may be off at a time if a source has seen it change, and no others have
 * told otherwise since: what has shown, and what comes to that.
 */
export function doubtOf(
  shift: Shift,
  { time, witnesses }: { readonly time: Seconds; readonly witnesses: readonly Misses[] },
): Seconds {
  const evidence = witnesses.reduce((sum, misses) => sum + misses.evidenceAfter(shift), 0);
  if (evidence < 0) return 0;
  const growth = SIGMA_MULTIPLIER * frequencyChangeOf(shift);
  return Math.abs(shift.miss) + growth * Math.max(0, time - shift.until);
}

/** What the frequency may have changed by when the clock has. */
export function frequencyChangeOf(shift: Shift): number {
  // what was set runs as it did
  return isDrift(shift) ? Math.max(FREQUENCY_CHANGE_MIN, driftOf(shift)) : FREQUENCY_CHANGE_MIN;
}

/** Tells whether an oscillator may have done it; else a clock was set. */
export function isDrift(shift: Shift): boolean {
  return driftOf(shift) <= FREQUENCY_CHANGE_MAX;
}

function driftOf({ miss, since, until }: Shift): number {
  return Math.abs(miss) / Math.max(1, until - since);
}

/**
 * Tells whether the samples of other sources rather speak for a change of the clock than against
 * it. Where they tell nothing, it is the clock that has changed; but a source without a vote needs
 * others that show the same.
 */
export function speakFor(
  shift: Shift,
  { witnesses, hasVote }: { readonly witnesses: readonly Misses[]; readonly hasVote: boolean },
): boolean {
  const evidence = witnesses.reduce((sum, misses) => sum + misses.evidenceFor(shift), 0);
  return hasVote ? evidence >= 0 : evidence > 0;
}

/** Tells whether an update found that the sample is an outlier. */
export function isOutlier({ outlier }: UpdateOutcome): boolean {
  return outlier > OUTLIER_LIMIT;
}
