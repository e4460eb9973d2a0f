/**
 * From measurements to what the clock should do: the estimates of each source and of all believed
 * sources together.
 *
 * Each source has a filter of its own, so that selection can compare the sources. The sources that
 * selection believes feed one joint filter, which steers the clock. Both kinds of filter see the
 * free-running clock only, so no correction ever looks like drift. docs/discipline.md describes the
 * model, its equations and where it fails.
 *
 * Limits: it decides nothing about sources (selection does) and nothing about steps
 * (`step_policy.ts`).
 *
 * @module
 */
import { offsetAndDelay } from "../association/exchange.ts";
import type { Measurement, Timestamping } from "../association/measurement.ts";
import { assert, present } from "../base/assert.ts";
import { type Instant, monotonicOf } from "../base/instant.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import type { PossibleRange } from "../selection/intersection.ts";
import { Ensemble, type FrequencyPrior, type SampleOutcome } from "./ensemble.ts";
import type { ClockEstimate } from "./filter_bank.ts";
import { FreeRunningClock } from "./free_running_clock.ts";
import { type BeliefInSources, type FollowedSource, JointFilter } from "./joint_filter.ts";
import { isDrift, isOutlier, Misses, OUTLIER_STREAK } from "./misses.ts";
import { type Sample, SourceTrack } from "./source_track.ts";

/** What timestamping adds to an offset, one standard deviation. */
const TIMESTAMP_NOISE: Readonly<Record<Timestamping, Seconds>> = {
  hardware: 2e-8,
  kernel: 1e-7,
  user: 1e-5,
};
/** Jitter is averaged over about this many samples. */
const JITTER_MEMORY = 8;
/**
 * No oscillator gains so much between two samples: the local clock stood still, or that of the
 * server was set.
 */
const JUMP_MIN: Seconds = 10;
/** From so many samples on the estimate is good enough to tell how the waits are split. */
const SPLIT_FROM = 24;

/** What one source shows of the local clock. */
export interface SourceEstimate {
  /** The source's time minus the local clock, now. */
  readonly offset: Seconds;
  /** One standard deviation of the offset, without what asymmetry may add. */
  readonly uncertainty: Seconds;
  /** The smallest round trip that was measured on the present route, not negative. */
  readonly delay: Seconds;
  /**
   * The typical error of one sample: the mean wait in the network, one way, if both ways are alike.
   */
  readonly sampleError: Seconds;
  /** The typical distance of samples from the estimate. */
  readonly jitter: Seconds;
  /** Of the source's own filter; 1e-12 is a standard deviation of one part per million. */
  readonly frequencyVariance: number;
  /** What the frequency's variance most likely grows by in a second. */
  readonly likelyWanderVariance: number;
  /** How many samples are kept of it, at most `SAMPLES_MAX`. */
  readonly samples: number;
  /** Whether the last sample was an outlier. */
  readonly isOutlier: boolean;
  /** Whether it was one that a change of the frequency may explain, so that the error grows. */
  readonly mayDrift: boolean;
}

/** What the believed sources together show of the local clock. */
export interface SystemEstimate {
  /** True time minus the local clock, now. */
  readonly offset: Seconds;
  /** Square seconds; includes what the paths' asymmetry may add. */
  readonly offsetVariance: number;
  /** The fraction by which the clock must be made faster to keep time. */
  readonly frequency: number;
  /** 1e-12 is a standard deviation of one part per million. */
  readonly frequencyVariance: number;
  /** The same, as it most likely is; the one before is on the safe side. */
  readonly likelyFrequencyVariance: number;
  /** What the frequency's variance most likely grows by in a second. */
  readonly likelyWanderVariance: number;
  /** How long ago the last sample was taken that is no outlier. */
  readonly age: Seconds;
  /** How much more the offset may be off: samples contradict it that nothing explains yet. */
  readonly doubt: Seconds;
}

/** Estimates offset and frequency of the local clock. */
export class Discipline {
  readonly #clock: FreeRunningClock;
  readonly #clockNoise: Seconds;
  #prior: FrequencyPrior;
  readonly #sources = new Map<number, FollowedSource>();
  readonly #joint: JointFilter;

  /** Starts without sources, believing in the prior alone. */
  constructor(options: {
    readonly now: MonotonicSeconds;
    /** The correction that the kernel applies already, as a fraction. */
    readonly rate: number;
    readonly prior: FrequencyPrior;
    /** The precision of the local clock. */
    readonly precision: Seconds;
  }) {
    this.#clock = new FreeRunningClock(options.now, options.rate);
    this.#clockNoise = options.precision;
    this.#prior = options.prior;
    this.#joint = new JointFilter(this.#sources, options.prior);
  }

  /** The correction in force, as a fraction. */
  get rate(): number {
    return this.#clock.rate;
  }

  /**
   * Sets what is known of the frequency before any sample (a drift file); used when filters start.
   */
  setPrior(prior: FrequencyPrior): void {
    this.#prior = prior;
    if (this.#joint.isEmpty) this.#joint.restart(prior);
  }

  /** Makes room for a source. */
  addSource(id: number): void {
    const track = new SourceTrack(this.#clockNoise);
    this.#sources.set(id, { track, jitterSquare: 0, ...this.#afresh(track) });
  }

  /** Removes a source; what its samples showed of the clock stays in the joint filter. */
  removeSource(id: number): void {
    this.#joint.leave(id);
    this.#sources.delete(id);
  }

  /** Begins anew with a source; what its samples showed of the clock stays in the joint filter. */
  renewSource(id: number): void {
    this.removeSource(id);
    this.addSource(id);
  }

  /**
   * Forgets all samples of a source, in the joint filter too, after an update with one of them
   * failed.
   */
  discard(id: number): void {
    if (!this.#sources.has(id)) return;
    this.addSource(id);
    try {
      this.#joint.restartWithout(id, this.#prior);
      if (isSound(this.#joint.estimateAt(this.#clock.at(0)))) return;
    } catch {
      // the samples of the others cannot be used either: these sources come in again one by one
    }
    this.#joint.restart(this.#prior);
  }

  /**
   * Updates the filter of a source with a measurement.
   *
   * @throws when the estimate is not a number; the caller drops the source then (`discard`).
   */
  observe(id: number, measurement: Measurement, now: Instant): void {
    const source = present(this.#sources.get(id), "A measured source is known");
    const { track, alone } = source;
    track.delays.noise = this.#noiseOf(measurement);
    track.reference = measurement.stratum > 1 ? measurement.referenceId : 0;
    const sample = this.#addSample(track, measurement, now);
    source.sinceChange++;
    const outcome = alone.observe(track, sample);
    source.isOutlier = isOutlier(outcome);
    source.misses.take(outcome, sample.time);
    if (this.#isSplitOver(source, outcome)) {
      alone.rebuild([track]);
      if (this.#joint.has(id)) this.#joint.renewSoon();
    }
    const estimate = alone.estimateAt(sample.time);
    assert(isSound(estimate), "The estimate of a source is a number");
    if (estimate === undefined) return;
    if (outcome.isChange) {
      source.changed = source.misses.shift;
      source.jitterSquare = 0;
      if (Math.abs(outcome.miss) > JUMP_MIN) this.#jump(id, source);
      else if (!this.#joint.has(id)) source.sinceChange = OUTLIER_STREAK;
      return;
    }
    const expected = alone.viewAt(track, sample.time)?.offset ?? estimate.offset;
    const residual = sample.offset - expected;
    if (track.samples.length > SPLIT_FROM) track.delays.learnSplit(sample.delay, residual);
    const weight = 1 / Math.min(JITTER_MEMORY, track.samples.length);
    source.jitterSquare += weight * (residual * residual - source.jitterSquare);
  }

  /**
   * Updates the joint filter with the newest sample. `believed` are the sources that selection
   * believes now, the best first. The filter is rebuilt from all their samples when there is none
   * yet, or when a source in it turned out to be false. Afterwards there is an estimate if any
   * believed source has a sample. Returns whether the estimate has news for the clock.
   *
   * @throws when the estimate is not a number; the caller drops the source of the sample then
   * (`discard`).
   */
  combine(
    believed: readonly number[],
    { possible, ...options }: Omit<BeliefInSources, "possible"> & {
      /** Where most sources allow the offset of the clock to be at a moment. */
      readonly possible?: PossibleRange & { readonly at: MonotonicSeconds } | undefined;
    },
  ): boolean {
    const isNew = this.#joint.follow(believed, {
      ...options,
      possible: possible && this.#onFreeRunningClock(possible),
    });
    assert(isSound(this.#joint.estimateAt(this.#clock.at(0))), "The joint estimate is a number");
    return isNew;
  }

  /**
   * Lets the next joint estimate rest on the sources alone that are believed then, whatever others
   * have shown.
   */
  forgetOthers(): void {
    this.#joint.renewSoon();
  }

  /** Returns what a source shows now, or undefined before its first sample. */
  sourceAt(id: number, now: MonotonicSeconds): SourceEstimate | undefined {
    const source = this.#sources.get(id);
    const time = this.#clock.at(now);
    const estimate = source?.alone.estimateAt(time);
    const view = source?.alone.viewAt(source.track, time);
    if (source === undefined || estimate === undefined || view === undefined) return undefined;
    return {
      offset: view.offset - this.#clock.correctionAt(now),
      uncertainty: Math.sqrt(view.variance),
      delay: Math.max(0, source.track.delays.smallest),
      sampleError: source.track.delays.sampleError,
      jitter: Math.sqrt(source.jitterSquare),
      frequencyVariance: estimate.frequencyVariance,
      likelyWanderVariance: estimate.likelyWanderVariance,
      samples: source.track.samples.length,
      isOutlier: source.isOutlier,
      mayDrift: source.isOutlier && isDrift(source.misses.shift),
    };
  }

  /**
   * Returns the offset of a source as the joint filter sees it, and its variance; undefined for a
   * source that is not in the joint filter.
   */
  distanceTo(id: number, now: MonotonicSeconds): { offset: Seconds; variance: number } | undefined {
    const track = this.#sources.get(id)?.track;
    if (track === undefined) return undefined;
    const view = this.#joint.viewAt(track, this.#clock.at(now));
    if (view === undefined) return undefined;
    return { offset: view.offset - this.#clock.correctionAt(now), variance: view.variance };
  }

  /** Returns what the believed sources together show now, or undefined before the first. */
  systemAt(now: MonotonicSeconds): SystemEstimate | undefined {
    const estimate = this.#joint.estimateAt(this.#clock.at(now));
    if (estimate === undefined) return undefined;
    return {
      ...estimate,
      offset: estimate.offset - this.#clock.correctionAt(now),
      age: this.#clock.at(now) - this.#joint.trustedAt,
      doubt: this.#joint.doubtAt(this.#clock.at(now)),
    };
  }

  /** Returns by how much the rates that were in force have moved the clock up to a moment. */
  correctionAt(now: MonotonicSeconds): Seconds {
    return this.#clock.correctionAt(now);
  }

  /** Records that from now on the kernel applies another rate, a fraction. */
  rateChanged(now: MonotonicSeconds, rate: number): void {
    this.#clock.setRate(now, rate);
  }

  /** Records a step of the real-time clock by ntpsd; all that is known is carried over. */
  stepped(by: Seconds): void {
    this.#joint.shift(-by);
    for (const { track, alone } of this.#sources.values()) {
      track.shift(-by);
      alone.shift(-by);
    }
  }

  /**
   * Forgets all samples after a change of the clock from outside; the frequency is kept as a prior.
   */
  restart(now: MonotonicSeconds, frequencyVariance: number): void {
    const estimate = this.#joint.estimateAt(this.#clock.at(now));
    if (estimate !== undefined) {
      this.#prior = {
        frequency: estimate.frequency,
        variance: estimate.frequencyVariance + frequencyVariance,
      };
    }
    this.#joint.restart(this.#prior);
    for (const [id, source] of this.#sources) {
      source.track.forget();
      this.#sources.set(id, { ...source, ...this.#afresh(source.track) });
    }
  }

  /** What is known of a source that has shown nothing of the clock yet. */
  #afresh(track: SourceTrack): Omit<FollowedSource, "track" | "jitterSquare"> {
    return {
      alone: new Ensemble(this.#prior),
      misses: new Misses(track, 0),
      changed: undefined,
      isOutlier: false,
      hasJumped: false,
      sinceChange: Infinity,
    };
  }

  /**
   * Learns from a sample how noisy a path is; tells whether what was known of its queues is
   * contradicted, so that all samples mean something else.
   */
  #isSplitOver({ track, isOutlier }: FollowedSource, outcome: SampleOutcome): boolean {
    if (outcome.isChange) return track.delays.forgetSplit();
    return !isOutlier && track.samples.length > 2 && track.delays.learnNoise(outcome);
  }

  #addSample(track: SourceTrack, measurement: Measurement, now: Instant): Sample {
    const sentAt = monotonicOf(measurement.originTimestamp, now);
    const arrivedAt = monotonicOf(measurement.destinationTimestamp, now);
    const sent = -this.#clock.correctionAt(sentAt);
    const arrived = -this.#clock.correctionAt(arrivedAt);
    const { offset, delay } = offsetAndDelay(measurement, { sent, arrived });
    const sample = track.add(arrivedAt + arrived, offset, delay);
    track.setBias(measurement.rootDispersion);
    return sample;
  }

  #onFreeRunningClock({ at, ...range }: PossibleRange & { readonly at: MonotonicSeconds }) {
    const { low, high } = range, correction = this.#clock.correctionAt(at);
    return { ...range, low: low + correction, high: high + correction, time: this.#clock.at(at) };
  }

  #noiseOf(measurement: Measurement): Seconds {
    // a precision of more than 16 s says nothing, and its square must stay a number
    const server = 2 ** Math.min(4, Math.max(-30, measurement.precision)) / Math.sqrt(12);
    return Math.hypot(TIMESTAMP_NOISE[measurement.timestamping], server, this.#clockNoise);
  }

  /**
   * Drops the samples of a source from before it jumped. When all believed sources have jumped, the
   * local clock did, and the joint filter begins anew with them: added one by one, each would pass
   * for a path with a very large bias.
   */
  #jump(id: number, source: FollowedSource): void {
    this.#joint.leave(id);
    source.track.keepNewest(OUTLIER_STREAK);
    source.alone = new Ensemble(this.#prior);
    source.alone.rebuild([source.track]);
    source.hasJumped = true;
  }
}

/** Tells whether an estimate consists of numbers; there may be none yet. */
function isSound(estimate: ClockEstimate | undefined): boolean {
  return estimate === undefined ||
    (Number.isFinite(estimate.offset) && Number.isFinite(estimate.frequency) &&
      estimate.offsetVariance >= 0 && estimate.frequencyVariance >= 0);
}
