/**
 * One clock seen through several sources: the filter bank over the samples of the believed ones.
 *
 * Samples of all believed sources go into one filter. So each sample counts by what it is worth,
 * and the clock is followed as closely as if one source were asked that much more often. The error
 * that belongs to a source is its bias, a state of the filter. While samples are few, each new one
 * changes what the earlier ones mean (the floor of the delay was not known), so the filter is
 * rebuilt from all of them; later it only goes forward. It is also rebuilt when a source that had
 * been believed turns out to be false: what it had contributed is gone with it.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import { SIGMA_MULTIPLIER } from "../selection/root_distance.ts";
import { estimateAfter, walked } from "./estimate_after.ts";
import { type ClockEstimate, FilterBank, type UpdateOutcome } from "./filter_bank.ts";
import { isOutlier } from "./misses.ts";
import { OutlierStreaks } from "./outlier_streaks.ts";
import { SourceBiases } from "./source_biases.ts";
import { isMuchLess, type Sample, type SourceTrack } from "./source_track.ts";

/**
 * While a source has at most so many samples, the filter is rebuilt when their meaning has changed
 * ...
 */
const REPLAY_SAMPLES_MAX = 24;
/** ... that is, when the floor of the delay has moved by this part of the mean wait. */
const REPLAY_FLOOR_PART = 0.1;
/**
 * So many samples decide whether the prior of the frequency is kept; it has this much credit in log
 * evidence.
 */
const PRIOR_TRIAL_SAMPLES = 8;
const PRIOR_CREDIT = 3;

const NO_OUTCOME: SampleOutcome = {
  deviation: 0,
  miss: 0,
  missVariance: Infinity,
  outlier: 0,
  expectedVariance: 0,
  queueEvidence: 0,
  isChange: false,
};

/** What is known of the frequency before any sample. */
export interface FrequencyPrior {
  /** The rate at which the offset of the free-running clock grows, seconds per second. */
  readonly frequency: number;
  /** The variance of that: 1e-12 is a standard deviation of one part per million. */
  readonly variance: number;
  /**
   * The variance to fall back on when the samples contradict the first one: a drift file may be of
   * another machine. Left out when there is nothing to fall back on.
   */
  readonly fallbackVariance?: number;
}

/** What one source shows of the clock now. */
export interface SourceView {
  /** The offset that the source is expected to show: that of the clock plus the source's bias. */
  readonly offset: Seconds;
  /** Square seconds; the noise of a sample is not in it. */
  readonly variance: number;
}

/** What an update with a sample found. */
export interface SampleOutcome extends UpdateOutcome {
  /**
   * Whether it was the last outlier of a streak that shows a change: the samples before the streak
   * are obsolete.
   */
  readonly isChange: boolean;
}

/** What is believed: the clock, and what each source adds. */
interface Belief {
  readonly bank: FilterBank;
  readonly biases: SourceBiases;
  readonly streaks: OutlierStreaks;
  /** By how much the offset was moved against the biases. */
  moved: Seconds;
}

/** The filter over a set of sources. */
export class Ensemble {
  readonly #prior: FrequencyPrior;
  readonly #isJoint: boolean;
  #belief: Belief | undefined;
  /** What the samples show when the prior of the frequency, which is on trial, is not believed. */
  #fallback: ClockEstimate | undefined;
  #time: Seconds = 0;
  #trustedAt: Seconds = 0;
  /** No oscillator wanders more than each source shows of it. */
  wanderMax: number = Infinity;
  /** The sources without which others cannot show a change of the clock; none: all are alike. */
  voters: ReadonlySet<SourceTrack> = new Set();

  /** Starts without samples; the joint filter notes what each sample showed beside it. */
  constructor(prior: FrequencyPrior, { isJoint = false } = {}) {
    this.#prior = prior;
    this.#isJoint = isJoint;
  }

  /** Whether it has been updated with any sample. */
  get ready(): boolean {
    return this.#belief !== undefined;
  }

  /** When the last sample was taken that is no outlier, of whatever source; a free-running time. */
  get trustedAt(): Seconds {
    return this.#trustedAt;
  }

  /** How many sources are in the filter, those included that give no samples any more. */
  get size(): number {
    return this.#belief?.biases.size ?? 0;
  }

  /** Whether samples of this source are in the belief. */
  has(track: SourceTrack): boolean {
    return this.#belief?.biases.of(track) !== undefined;
  }

  /** Updates the filter with the newest sample of a source, which is already in its track. */
  observe(track: SourceTrack, sample: Sample): SampleOutcome {
    const belief = this.#belief;
    if (belief === undefined || this.#mustRebuild(belief, track)) {
      const tracks = new Set(belief?.biases.tracks).add(track);
      const previous = track.samples.length > REPLAY_SAMPLES_MAX ? belief?.bank : undefined;
      return this.#replay([...tracks], { about: track, previous });
    }
    if (!this.has(track)) this.#addSource(belief, track);
    this.#fallback = undefined;
    const outcome = this.#step(belief, track, sample);
    return { ...outcome, isChange: this.#judge(belief, track, outcome) };
  }

  /** Rebuilds the filter from all samples of these sources, and of no other. */
  rebuild(tracks: readonly SourceTrack[]): void {
    this.#replay(tracks, { previous: this.#belief?.bank });
  }

  /**
   * The bias that the samples give a source now (positive when the source is ahead of the clock),
   * wherever the offset was moved, and the variance that was expected of it. Undefined if the
   * source is not in the belief.
   */
  biasOf(track: SourceTrack): { readonly bias: Seconds; readonly variance: number } | undefined {
    const bias = this.#belief?.biases.of(track);
    const slot = this.#belief?.biases.slotOf(track);
    if (this.#belief === undefined || bias === undefined || slot === undefined) return undefined;
    return {
      bias: this.#belief.bank.bias(slot) + this.#belief.moved,
      variance: bias.variance + track.wanderedVariance +
        track.detourVariance(bias.route, bias.base),
    };
  }

  /** Removes a source; what its samples showed of the clock stays. */
  remove(track: SourceTrack): void {
    this.#belief?.biases.remove(track);
    this.#belief?.streaks.remove(track);
  }

  /**
   * Moves the belief about the offset, when the clock itself was stepped; the tracks are moved by
   * their owner.
   */
  shift(by: Seconds): void {
    this.#belief?.bank.shiftOffset(by);
    if (this.#fallback === undefined) return;
    this.#fallback = { ...this.#fallback, offset: this.#fallback.offset + by };
  }

  /**
   * Moves the offset, when the samples leave open how much of what they show is bias: the frequency
   * and what is expected of each source stay.
   */
  shiftAgainstBiases(by: Seconds): void {
    if (this.#belief === undefined) return;
    this.#belief.bank.shiftAgainstBiases(by);
    this.#belief.moved += by;
  }

  /** Returns the belief about the clock at a time; undefined before the first sample. */
  estimateAt(time: Seconds): ClockEstimate | undefined {
    const now = this.#belief?.bank.estimate;
    return now && estimateAfter(now, time - this.#time);
  }

  /**
   * How much more than its variance says the estimate may be off at a time, because it rests on a
   * prior of the frequency that no sample has confirmed yet.
   */
  doubtAt(time: Seconds): Seconds {
    const estimate = this.estimateAt(time);
    if (this.#fallback === undefined || estimate === undefined) return 0;
    const { offset, offsetVariance } = estimateAfter(this.#fallback, time - this.#time);
    const wider = Math.sqrt(offsetVariance) - Math.sqrt(estimate.offsetVariance);
    return Math.abs(offset - estimate.offset) + SIGMA_MULTIPLIER * Math.max(0, wider);
  }

  /** The wander that the samples show, as a variance per second; undefined before the first. */
  get likelyWanderVariance(): number | undefined {
    return this.#belief?.bank.estimate.likelyWanderVariance;
  }

  /**
   * Returns what a source is expected to show at a time, or undefined if it is not in the belief.
   */
  viewAt(track: SourceTrack, time: Seconds): SourceView | undefined {
    const slot = this.#belief?.biases.slotOf(track);
    if (this.#belief === undefined || slot === undefined) return undefined;
    const { bank } = this.#belief;
    const dt = time - this.#time;
    const { frequency, wanderVariance } = bank.estimate;
    const ahead = Math.max(0, dt);
    const { offset, variance } = bank.view(slot, ahead);
    return {
      offset: offset + (dt - ahead) * frequency,
      variance: variance + walked(wanderVariance, ahead),
    };
  }

  /**
   * Tells whether the filter must be rebuilt: the samples of a young source have got another
   * meaning, or the root dispersion of a server has shrunk much.
   */
  #mustRebuild({ biases }: Belief, track: SourceTrack): boolean {
    const known = biases.of(track);
    if (known !== undefined) {
      if (biases.areMostShorter) return true;
      if (isMuchLess(track.biasVariance, known.variance)) return true;
    }
    if (track.samples.length > REPLAY_SAMPLES_MAX) {
      const isYoung = known?.isRebased === false && known.base.count <= REPLAY_SAMPLES_MAX;
      if (!isYoung) return false;
    }
    if (known === undefined) return true;
    const onTrial = this.#prior.fallbackVariance !== undefined;
    if (onTrial && track.samples.length <= PRIOR_TRIAL_SAMPLES) return true;
    const moved = Math.abs(track.delays.floorOf(known.base) - known.floor);
    return moved > REPLAY_FLOOR_PART * track.delays.meanWait;
  }

  /** Rebuilds the filter; of two priors of the frequency it takes the one with more evidence. */
  #replay(
    tracks: readonly SourceTrack[],
    options: { readonly about?: SourceTrack; readonly previous?: FilterBank | undefined },
  ): SampleOutcome {
    const { variance, fallbackVariance } = this.#prior;
    this.#fallback = undefined;
    const outcome = this.#replayWith(variance, tracks, options);
    if (fallbackVariance === undefined || this.#belief === undefined) return outcome;
    const believed = this.#belief.bank.logEvidence + PRIOR_CREDIT;
    const fallback = this.#replayWith(fallbackVariance, tracks, options);
    if (this.#belief.bank.logEvidence > believed) return fallback;
    this.#fallback = this.#belief.bank.estimate;
    return this.#replayWith(variance, tracks, options);
  }

  #replayWith(
    frequencyVariance: number,
    tracks: readonly SourceTrack[],
    options: { readonly about?: SourceTrack; readonly previous?: FilterBank | undefined },
  ): SampleOutcome {
    const samples = tracks.flatMap((track) => track.samples.map((sample) => ({ track, sample })));
    samples.sort((a, b) => a.sample.time - b.sample.time);
    let outcome = NO_OUTCOME;
    // what one without a vote showed before must not be where the filter begins
    const start = Math.max(0, samples.findIndex(({ track }) => this.voters.has(track)));
    const first = samples[start];
    this.#belief = undefined;
    if (first === undefined) return outcome;
    const belief = this.#start({ ...first, frequencyVariance, previous: options.previous });
    for (const track of tracks) if (track.samples.length > 0) this.#addSource(belief, track);
    for (const { track, sample } of samples.slice(start)) {
      const result = this.#step(belief, track, sample);
      const isChange = this.#judge(belief, track, result);
      if (track === options.about) outcome = { ...result, isChange };
    }
    return outcome;
  }

  #start(from: {
    readonly track: SourceTrack;
    readonly sample: Sample;
    readonly frequencyVariance: number;
    readonly previous: FilterBank | undefined;
  }): Belief {
    const { sample, track } = from;
    const bank = new FilterBank({
      offset: sample.offset,
      offsetVariance: 0.25 * sample.delay * sample.delay + track.biasVariance + 1e-12,
      frequency: this.#prior.frequency,
      frequencyVariance: from.frequencyVariance,
    }, from.previous);
    this.#time = sample.time;
    this.#trustedAt = sample.time;
    const biases = new SourceBiases(bank), streaks = new OutlierStreaks();
    return this.#belief = { bank, biases, streaks, moved: 0 };
  }

  #addSource({ biases, streaks }: Belief, track: SourceTrack): void {
    biases.add(track);
    streaks.add(track, this.#time);
  }

  #step({ bank, biases, streaks }: Belief, track: SourceTrack, sample: Sample): UpdateOutcome {
    const elapsed = sample.time - this.#time;
    if (elapsed > 0) {
      bank.advance(elapsed);
      this.#time = sample.time;
    }
    if (biases.take(track, sample.route)) streaks.end(track);
    biases.wander(track, { time: sample.time, elapsed: Math.max(0, elapsed) });
    // a sample of an earlier time (interleaved mode) is carried forward to where the belief is
    const late = Math.min(0, elapsed) * bank.estimate.frequency;
    const seen = late === 0 ? sample : { ...sample, offset: sample.offset - late };
    const slot = present(biases.slotOf(track), "The route of a sample has a slot");
    const outcome = bank.update(slot, track.observation(seen), this.wanderMax);
    biases.chooseBase(track);
    if (this.#isJoint) {
      sample.beside = isOutlier(outcome) ? undefined : seen.offset - bank.estimate.offset;
    }
    return outcome;
  }

  /**
   * Admits a change of the clock or of the path after a streak of outliers; returns whether it did.
   */
  #judge({ bank, biases, streaks }: Belief, track: SourceTrack, outcome: UpdateOutcome): boolean {
    if (!isOutlier(outcome)) this.#trustedAt = this.#time;
    const change = streaks.take(track, { outcome, time: this.#time, voters: this.voters });
    if (change?.kind === "path") biases.admitChange(track, change.variance);
    if (change?.kind === "clock") {
      bank.admitChange(change.offsetVariance, change.frequencyVariance);
    }
    return change !== undefined;
  }
}
