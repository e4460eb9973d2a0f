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
import { minimumDeviation, minimumMean, type Route, type RouteChange, Routes } from "./routes.ts";

/** The mean wait is averaged over about this many samples. */
const MEMORY_SAMPLES = 96;
/** The prior mean wait: this part of the delay, counted as so many samples. */
const PRIOR_WAIT_FRACTION = 0.05;
const PRIOR_WAIT_MIN: Seconds = 2e-6;
const PRIOR_SAMPLES = 1;
/** A split of the waits is believed from so many samples on. */
const SPLIT_SAMPLES_MIN = 16;

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
  readonly #routes = new Routes();
  #noiseVariance: number | undefined;
  #noiseWeight = 0;
  #queueLogOdds = QUEUE_LOG_ODDS_PRIOR;
  #weight = 0;
  #meanDelay: Seconds = 0;
  #forward = 0;
  #backward = 0;
  #splitWeight = 0;
  /** What follows from these: how the waits are split, and the mean wait. */
  #lean = 0;
  #meanWait: Seconds = Infinity;

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

  /** The route that the newest packet took; undefined before the first. */
  get route(): Route | undefined {
    return this.#routes.present;
  }

  /** The shortest route that is known; undefined before the first packet. */
  get shortestRoute(): Route | undefined {
    return this.#routes.shortest;
  }

  /** Whether packets may come to take a route again: it is the present one or below it. */
  isKnown(route: Route): boolean {
    return this.#routes.has(route);
  }

  /** The mean wait in one direction, both taken together; Infinity before the first packet. */
  get meanWait(): Seconds {
    return this.#meanWait;
  }

  /**
   * The typical error of a sample: the mean wait, or less where waits are known to be on one of the
   * two ways.
   */
  get sampleError(): Seconds {
    const tilt = Math.abs(this.#tilt());
    const wait = this.#meanWait;
    return tilt > 0 ? Math.min(wait, Math.hypot(1 / tilt, this.#blur(this.route))) : wait;
  }

  /** The smallest delay that was measured on the present route; Infinity before the first. */
  get smallest(): Seconds {
    return this.route?.smallest ?? Infinity;
  }

  /**
   * The delay of a packet that met no queue, as far as is known: an estimate, below the smallest
   * that was measured.
   */
  get floor(): Seconds {
    return this.floorOf(this.route);
  }

  /** The same for another route. */
  floorOf(route: Route | undefined): Seconds {
    return route?.floor({ wait: this.#meanWait, lean: this.#lean }) ?? Infinity;
  }

  /** Takes in the delay of a sample; returns what it showed of the route. */
  add(delay: Seconds): RouteChange {
    const wait = this.#meanWait;
    const change = this.#routes.add(delay, { wait, noise: this.#noise, lean: this.#lean });
    if (change.kind !== "same") {
      // the floor is another one, how long the waits are is not forgotten
      this.#weight = Math.min(this.#weight, 16);
      this.#meanDelay = this.smallest + 2 * wait;
    }
    this.#weight = Math.min(MEMORY_SAMPLES, this.#weight + 1);
    this.#meanDelay += (delay - this.#meanDelay) / this.#weight;
    this.#weighWaits();
    return change;
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
    this.#weighWaits();
  }

  /** The probability that queues are what disturbs the samples, not other noise. */
  get queueProbability(): number {
    return 1 / (1 + Math.exp(-this.#queueLogOdds));
  }

  /** The variance of a sample if its delay told nothing. */
  get noiseVariance(): number {
    const wait = this.#meanWait;
    const prior = 0.5 * wait * wait + this.#noise * this.#noise;
    if (this.#noiseVariance === undefined) return prior;
    return (PRIOR_NOISE_SAMPLES * prior + this.#noiseWeight * this.#noiseVariance) /
      (PRIOR_NOISE_SAMPLES + this.#noiseWeight);
  }

  /**
   * Learns from a sample how far samples are from the prediction (less the variance of the
   * prediction itself), and which explanation predicts them better. Returns true when samples
   * contradict the split of the waits that was learned: it is forgotten then, and the filters that
   * rest on it are to be made anew.
   */
  learnNoise(
    outcome: {
      readonly miss: Seconds;
      readonly expectedVariance: number;
      readonly queueEvidence: number;
    },
  ): boolean {
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
    return this.#queueLogOdds < 0 && this.forgetSplit();
  }

  /**
   * Forgets how the waits are split: the queues may have changed side, and what followed looked
   * like noise. Returns whether a split had been known.
   */
  forgetSplit(): boolean {
    if (this.#lean === 0) return false;
    this.#forward = 0;
    this.#backward = 0;
    this.#splitWeight = 0;
    this.#weighWaits();
    this.#noiseVariance = undefined;
    this.#noiseWeight = 0;
    this.#queueLogOdds = QUEUE_LOG_ODDS_PRIOR;
    return true;
  }

  /**
   * Returns where the true offset lies, given that a sample on a route showed `offset` at `delay`.
   */
  interval(
    { offset, delay, route }: {
      readonly offset: Seconds;
      readonly delay: Seconds;
      readonly route: Route | undefined;
    },
  ): SoftInterval {
    const half = 0.5 * Math.max(0, delay - this.floorOf(route));
    const blur = this.#blur(route);
    const softness = Math.sqrt(blur * blur + this.#noise * this.#noise);
    const width = Math.max(half, 0.1 * softness);
    return { low: offset - width, high: offset + width, tilt: this.#tilt(), softness };
  }

  /** What is not known of a route's floor, as an error of the offset. */
  #blur(route: Route | undefined): Seconds {
    return 0.5 * minimumDeviation(route?.count ?? 0, this.#lean) * this.#meanWait;
  }

  /**
   * Returns by how much the density of the true offset falls per second: the wait to the server
   * makes a sample too large.
   */
  #tilt(): number {
    const lean = this.#lean;
    if (lean === 0) return 0;
    const total = this.#forward + this.#backward;
    const forward = Math.max(0.02, 0.5 * (1 + lean)) * total;
    const backward = Math.max(0.02, 0.5 * (1 - lean)) * total;
    return 1 / backward - 1 / forward;
  }

  /** Finds what all that was learned of the waits says of them. */
  #weighWaits(): void {
    this.#lean = this.#believedLean();
    const { smallest } = this;
    const prior = Math.max(PRIOR_WAIT_MIN, PRIOR_WAIT_FRACTION * smallest);
    const seen = Math.max(0, this.#meanDelay - smallest) /
      Math.max(0.5, 2 - minimumMean(this.route?.count ?? 0, this.#lean));
    this.#meanWait = (PRIOR_SAMPLES * prior + this.#weight * seen) / (PRIOR_SAMPLES + this.#weight);
  }

  /**
   * How the waits are split, from -1 (all on the way back) to 1 (all on the way to the server); a
   * difference that could be chance is none.
   */
  #believedLean(): number {
    const total = this.#forward + this.#backward;
    if (this.#splitWeight < SPLIT_SAMPLES_MIN || !(total > 0)) return 0;
    const lean = (this.#forward - this.#backward) / total;
    const noise = 1.5 / Math.sqrt(this.#splitWeight);
    return Math.abs(lean) <= noise ? 0 : lean * (1 - (noise / lean) ** 2);
  }
}
