/**
 * What the delay of a sample says of its error.
 *
 * A packet's delay in each direction is a floor (the path itself) plus what it waited in queues.
 * The sum of both waits is the round trip's excess over its floor, e; the error of the offset is
 * half their difference, so it lies in ±e/2. If the waits are exponential with one mean, it lies
 * there uniformly; with different means J1 (to the server) and J2 (back) it leans with exp(-x·(1/J1
 * - 1/J2)). So a sample that met no queue is nearly exact, and one that waited long is a loose
 * interval that still excludes everything outside. The model learns the floor and both means, and
 * notices when a route change moves the floor.
 *
 * All this holds if queues are what disturbs the samples. It may also be noise that the delay does
 * not tell: timestamps taken late or early, a server's own jitter. The model keeps the variance of
 * such noise and the odds between both explanations.
 *
 * Limits: a constant difference between the two floors cannot be seen in one source (it is the bias
 * in `clock_filter.ts`); what is learned from fewer than some ten samples rests on the prior.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { SoftInterval } from "./normal.ts";

/** How many delays are looked at for a floor that has risen. */
const RECENT_MAX = 32;
/** Suffixes of the recent delays that are tested, in samples. */
const SHIFT_WINDOWS = [3, 4, 6, 8, 12, 16, 24, 32] as const;
/** The logarithm of the probability below which "by chance" is not believed. */
const SHIFT_LOG_PROBABILITY = -20;
/** The mean wait is averaged over about this many samples. */
const MEMORY_SAMPLES = 96;
/** The prior mean wait: this part of the delay, counted as so many samples. */
const PRIOR_WAIT_FRACTION = 0.05;
const PRIOR_WAIT_MIN: Seconds = 2e-6;
const PRIOR_SAMPLES = 1;
/** After a route change the floor is taken as settled once it rests on so many samples. */
const SETTLED_SAMPLES = 16;

/**
 * The prior of the noise counts as so many samples, and one sample for at most so many times the
 * variance.
 */
const PRIOR_NOISE_SAMPLES = 4;
const NOISE_SURPLUS_MAX = 16;
/** Queues are believed in at first: odds of e^3. */
const QUEUE_LOG_ODDS_PRIOR = 3;
/**
 * How much of the evidence for either explanation is kept at each sample, and how sure one can be.
 */
const QUEUE_EVIDENCE_KEPT = 0.97;
const QUEUE_LOG_ODDS_MAX = 8;
/** One sample does not count for more than this: outliers are no evidence. */
const QUEUE_EVIDENCE_MAX = 3;

/** Learns the delay of one source's path. */
export class DelayModel {
  #noise: Seconds;
  readonly #recent: Seconds[] = [];
  #noiseVariance: number | undefined;
  #noiseWeight = 0;
  #queueLogOdds = QUEUE_LOG_ODDS_PRIOR;
  #minimum: Seconds = Infinity;
  #count = 0;
  #weight = 0;
  #meanDelay: Seconds = 0;
  #forward = 0;
  #backward = 0;
  #splitWeight = 0;
  /** The floor before the last route change, while the new one is not settled. */
  #formerFloor: Seconds | undefined;
  #largestFall: Seconds = 0;

  /**
   * `noise` is the standard deviation that timestamps alone give an offset: clock precision and
   * timestamping.
   */
  constructor(noise: Seconds) {
    this.#noise = noise;
  }

  /** What timestamps alone add to an offset. */
  get noise(): Seconds {
    return this.#noise;
  }

  set noise(value: Seconds) {
    this.#noise = value;
  }

  /** The number of delays the floor rests on. */
  get count(): number {
    return this.#count;
  }

  /** The mean wait in one direction, both taken together. */
  get meanWait(): Seconds {
    const prior = Math.max(PRIOR_WAIT_MIN, PRIOR_WAIT_FRACTION * this.#minimum);
    const seen = Math.max(0, this.#meanDelay - this.#minimum) /
      Math.max(0.5, 2 - minimumMean(this.#count));
    return (PRIOR_SAMPLES * prior + this.#weight * seen) / (PRIOR_SAMPLES + this.#weight);
  }

  /** The smallest delay that was measured on the present route; Infinity before the first. */
  get smallest(): Seconds {
    return this.#minimum;
  }

  /**
   * The delay of a packet that met no queue, as far as is known: an estimate, below the smallest
   * that was measured.
   */
  get floor(): Seconds {
    return this.#minimum - minimumMean(this.#count) * this.meanWait;
  }

  /**
   * Takes in the delay of a sample. Returns by how much this showed that the route changed, as the
   * variance that its asymmetry may have added to the path's bias (a change of d moves the bias by
   * anything in ±d/2); 0 if it did not.
   */
  add(delay: Seconds): number {
    const fallen = this.#fallen(delay);
    this.#recent.push(delay);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    this.#count++;
    this.#weight = Math.min(MEMORY_SAMPLES, this.#weight + 1);
    this.#meanDelay += (delay - this.#meanDelay) / this.#weight;
    this.#minimum = Math.min(this.#minimum, delay);
    return fallen > 0 ? fallen : this.#risen();
  }

  /**
   * Learns how the wait was split, from where the offset turned out to be; `error` is sample minus
   * truth.
   */
  learnSplit(delay: Seconds, error: Seconds): void {
    const excess = Math.max(0, delay - this.floor);
    const half = 0.5 * excess;
    const clamped = Math.min(half, Math.max(-half, error));
    this.#splitWeight = Math.min(4 * MEMORY_SAMPLES, this.#splitWeight + 1);
    this.#forward += (half + clamped - this.#forward) / this.#splitWeight;
    this.#backward += (half - clamped - this.#backward) / this.#splitWeight;
  }

  /** The probability that queues are what disturbs the samples, not other noise. */
  get queueProbability(): number {
    return 1 / (1 + Math.exp(-this.#queueLogOdds));
  }

  /** The variance of a sample if its delay told nothing. */
  get noiseVariance(): number {
    const wait = this.meanWait;
    const prior = 0.5 * wait * wait + this.#noise * this.#noise;
    if (this.#noiseVariance === undefined) return prior;
    return (PRIOR_NOISE_SAMPLES * prior + this.#noiseWeight * this.#noiseVariance) /
      (PRIOR_NOISE_SAMPLES + this.#noiseWeight);
  }

  /**
   * Learns from a sample how far samples are from the prediction (less the variance of the
   * prediction itself), and which explanation predicts them better.
   */
  learnNoise(
    outcome: {
      readonly miss: Seconds;
      readonly expectedVariance: number;
      readonly queueEvidence: number;
    },
  ): void {
    const square = outcome.miss * outcome.miss;
    const surplus =
      Math.min(square, NOISE_SURPLUS_MAX * (this.noiseVariance + outcome.expectedVariance)) -
      outcome.expectedVariance;
    this.#noiseWeight = Math.min(MEMORY_SAMPLES, this.#noiseWeight + 1);
    const mean = this.#noiseVariance ?? 0;
    this.#noiseVariance = Math.max(
      this.#noise * this.#noise,
      mean + (surplus - mean) / this.#noiseWeight,
    );
    const evidence = Math.max(
      -QUEUE_EVIDENCE_MAX,
      Math.min(QUEUE_EVIDENCE_MAX, outcome.queueEvidence),
    );
    const odds = QUEUE_EVIDENCE_KEPT * this.#queueLogOdds + evidence;
    this.#queueLogOdds = Math.max(-QUEUE_LOG_ODDS_MAX, Math.min(QUEUE_LOG_ODDS_MAX, odds));
  }

  /** Returns where the true offset lies, given that a sample showed `offset` at `delay`. */
  interval(offset: Seconds, delay: Seconds): SoftInterval {
    const wait = this.meanWait;
    const half = 0.5 * Math.max(0, delay - this.floor);
    const blur = 0.5 * minimumDeviation(this.#count) * wait;
    const softness = Math.sqrt(blur * blur + this.#noise * this.#noise);
    const width = Math.max(half, 0.1 * softness);
    return { low: offset - width, high: offset + width, tilt: this.#tilt(), softness };
  }

  /**
   * Returns by how much the density of the true offset falls per second: the wait to the server
   * makes a sample too large.
   */
  #tilt(): number {
    const weight = this.#splitWeight;
    if (weight < 24) return 0;
    const total = this.#forward + this.#backward;
    if (!(total > 0)) return 0;
    const lean = (this.#forward - this.#backward) / total;
    const noise = 1.5 / Math.sqrt(weight);
    const kept = Math.abs(lean) <= noise ? 0 : lean * (1 - (noise / lean) ** 2);
    const forward = Math.max(0.02, 0.5 * (1 + kept)) * total;
    const backward = Math.max(0.02, 0.5 * (1 - kept)) * total;
    return 1 / backward - 1 / forward;
  }

  #fallen(delay: Seconds): number {
    if (this.#formerFloor !== undefined) return this.#fallenFurther(delay, this.#formerFloor);
    if (this.#count < RECENT_MAX) return 0;
    const floor = this.floor;
    if (floor - delay < 0.25 * this.meanWait + 4 * this.#noise) return 0;
    this.#restart([], delay);
    this.#formerFloor = floor;
    this.#largestFall = 0;
    return this.#fallenFurther(delay, floor);
  }

  /** The first packets on a new route may have waited, so the full fall shows only by and by. */
  #fallenFurther(delay: Seconds, former: Seconds): number {
    if (this.#count >= SETTLED_SAMPLES) this.#formerFloor = undefined;
    const fall = former - delay;
    if (fall <= this.#largestFall) return 0;
    const before = this.#largestFall;
    this.#largestFall = fall;
    return (fall * fall - before * before) / 12;
  }

  #risen(): number {
    if (this.#count <= this.#recent.length) return 0;
    const floor = this.floor;
    for (const window of SHIFT_WINDOWS) {
      if (window > this.#recent.length) break;
      const suffix = this.#recent.slice(-window);
      const lowest = Math.min(...suffix);
      const rise = lowest - floor;
      const spread = (mean(suffix) - lowest) / Math.max(0.5, 2 - minimumMean(window));
      const x = rise / (Math.max(this.meanWait, spread) + this.#noise);
      if (window * (Math.log1p(Math.max(0, x)) - x) > SHIFT_LOG_PROBABILITY) continue;
      this.#restart(suffix, lowest);
      return rise * rise / 12;
    }
    return 0;
  }

  /** Forgets the floor, but not how long the waits are. */
  #restart(kept: readonly Seconds[], lowest: Seconds): void {
    const wait = this.meanWait;
    this.#minimum = lowest;
    this.#count = kept.length;
    this.#recent.length = 0;
    this.#recent.push(...kept);
    this.#weight = Math.min(this.#weight, 16);
    this.#meanDelay = lowest + 2 * wait;
  }
}

/**
 * The mean of the smallest of n excesses, in mean waits: Rayleigh's law, with a fit for few
 * samples.
 */
function minimumMean(count: number): number {
  const root = 1 / Math.sqrt(Math.max(1, count));
  return 1.2533 * root * (1 + 0.6 * root);
}

/** The standard deviation of the smallest of n excesses, in mean waits. */
function minimumDeviation(count: number): number {
  const root = 1 / Math.sqrt(Math.max(1, count));
  return 0.655 * root * (1 + 1.15 * root);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
