/**
 * Learns how much the oscillator wanders: a bank of clock filters, weighted by the predictive
 * likelihood of the samples.
 *
 * Each filter assumes another strength of the frequency's random walk, half a decade apart. A
 * hypothesis that predicts the samples badly loses weight, and old evidence fades. A hypothesis
 * with next to no weight takes over the state of the best one, so that it is ready when the wander
 * changes. The bank reports the weighted mean, with a variance that includes the disagreement of
 * the filters.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import { type BiasModel, ClockFilter } from "./clock_filter.ts";
import { errorsOf, Mixture, type Observation } from "./mixture.ts";

/** The hypotheses: standard deviation of the change of frequency in one second. */
const WANDERS = [1e-10, 3.2e-10, 1e-9, 3.2e-9, 1e-8, 3.2e-8, 1e-7, 3.2e-7] as const;
/** What is believed before any sample: most oscillators wander by some 1e-9. */
const PRIOR_WEIGHTS = [0.05, 0.15, 0.25, 0.25, 0.15, 0.08, 0.05, 0.02] as const;
/** White frequency noise that any oscillator has, seconds in one second. */
const WHITE_NOISE = 1e-10;
/** How much of the old evidence is kept at each sample. */
const EVIDENCE_KEPT = 0.98;
/** A hypothesis below this weight is restarted from the best one. */
const WEIGHT_MIN = 1e-3;
/** What a hypothesis loses at each sample for assuming more wander than the sources show. */
const EXCESS_WANDER_PENALTY = 0.75;
/**
 * The logarithm of the smallest density that differs from none when two explanations are compared.
 */
const LOG_DENSITY_MIN = -60;
/** A prior is taken away only if samples have told at least this part of it. */
const KNOWN_PART_MIN = 1e-3;

const LOG_WANDERS = WANDERS.map(Math.log);
const LOG_WEIGHT_MIN = Math.log(WEIGHT_MIN);

/** The clock as the bank sees it. */
export interface ClockEstimate {
  /** Positive when true time is ahead of the free-running clock. */
  readonly offset: Seconds;
  /** Square seconds. */
  readonly offsetVariance: number;
  /** The rate at which the offset grows, seconds per second. */
  readonly frequency: number;
  /** 1e-12 is a standard deviation of one part per million. */
  readonly frequencyVariance: number;
  /**
   * The same without what is kept of hypotheses that nothing speaks for: what the error most likely
   * is, where the one above is on the safe side.
   */
  readonly likelyFrequencyVariance: number;
  /** That of offset and frequency, in seconds. */
  readonly covariance: number;
  /** The weighted mean of the hypotheses' wanders, as a variance per second. */
  readonly wanderVariance: number;
  /**
   * The weighted geometric mean of the same: what the wander most likely is, where the mean above
   * is on the safe side.
   */
  readonly likelyWanderVariance: number;
}

/** What an update with a sample found. */
export interface UpdateOutcome {
  /** Where the sample's middle lay from what was expected, in standard deviations of both. */
  readonly deviation: number;
  /** The same in seconds. */
  readonly miss: Seconds;
  /** The variance of both, by which the miss is to be judged. */
  readonly missVariance: number;
  /** The probability that the sample is an outlier. */
  readonly outlier: number;
  /** The variance of what was expected, before the sample. */
  readonly expectedVariance: number;
  /**
   * How much better queues predict the sample than noise: the difference of the logarithms of their
   * densities.
   */
  readonly queueEvidence: number;
}

/** A normal prior of a bias; its mean is 0. */
export interface BiasPrior {
  /** Where the bank keeps the bias. */
  readonly slot: number;
  /** Square seconds. */
  readonly variance: number;
}

/** The weighted filters. */
export class FilterBank {
  readonly #filters: ClockFilter[];
  readonly #logWeights: Float64Array;
  readonly #weights: Float64Array;
  readonly #mixture = new Mixture();
  /** The predictive log-likelihood of the last sample under each hypothesis. */
  readonly #evidence = new Float64Array(WANDERS.length);
  #logEvidence = 0;
  /** The weighted belief, until something changes it. */
  #estimate: ClockEstimate | undefined;

  /**
   * Starts every hypothesis from one belief; the weights for the wander begin from those of
   * `previous`.
   */
  constructor(
    start: {
      readonly offset: number;
      readonly offsetVariance: number;
      readonly frequency: number;
      readonly frequencyVariance: number;
    },
    previous?: FilterBank,
  ) {
    this.#filters = WANDERS.map((wander) =>
      new ClockFilter({ wander, whiteNoise: WHITE_NOISE }, start)
    );
    this.#weights = Float64Array.from(PRIOR_WEIGHTS);
    this.#logWeights = this.#weights.map(Math.log);
    if (previous !== undefined) this.#adoptWeights(previous);
  }

  /** Adds a source to every hypothesis and returns its slot. */
  addSource(bias: BiasModel): number {
    let slot = 0;
    for (const filter of this.#filters) slot = filter.addSource(bias);
    return slot;
  }

  /** Takes a source out of every hypothesis; the slots after it move down by one. */
  removeSource(slot: number): void {
    for (const filter of this.#filters) filter.removeSource(slot);
  }

  /** Lets the clock run. */
  advance(elapsed: Seconds): void {
    this.#estimate = undefined;
    for (const filter of this.#filters) filter.advance(elapsed);
  }

  /**
   * Updates every hypothesis with a sample of a source. Those that assume more wander than
   * `wanderMax` lose credit.
   */
  update(slot: number, observation: Observation, wanderMax = Infinity): UpdateOutcome {
    this.#estimate = undefined;
    const { low, high, softness } = observation.interval;
    const middle = 0.5 * (low + high);
    const half = 0.5 * (high - low);
    const mixture = this.#mixture, errors = errorsOf(observation);
    const sampleVariance = half * half / 3 + softness * softness;
    let outlier = 0, deviation = 0, miss = 0, expectedVariance = 0, queue = 0, noise = 0;
    for (let i = 0; i < WANDERS.length; i++) {
      const filter = this.#filter(i);
      const belief = { mean: filter.expected(slot), variance: filter.expectedVariance(slot) };
      const weight = this.#weights[i] ?? 0;
      const apart = middle - belief.mean;
      const probability = mixture.weigh(errors, belief);
      queue += weight * Math.exp(Math.max(LOG_DENSITY_MIN, mixture.queues.logEvidence));
      noise += weight * Math.exp(Math.max(LOG_DENSITY_MIN, mixture.noise.logEvidence));
      this.#evidence[i] = mixture.mixed.logEvidence;
      filter.update(slot, mixture.mixed);
      const penalty = (WANDERS[i] ?? 0) > wanderMax ? EXCESS_WANDER_PENALTY : 0;
      this.#logWeights[i] = EVIDENCE_KEPT * (this.#logWeights[i] ?? 0) +
        mixture.mixed.logEvidence - penalty;
      outlier += weight * probability;
      miss += weight * apart;
      expectedVariance += weight * belief.variance;
      deviation += weight * apart / Math.sqrt(belief.variance + sampleVariance);
    }
    this.#logEvidence += this.#predictiveLogLikelihood();
    this.#normalise();
    const queueEvidence = Math.log(queue / noise);
    const missVariance = expectedVariance + sampleVariance;
    return { deviation, miss, missVariance, outlier, expectedVariance, queueEvidence };
  }

  /**
   * The evidence for the model: the sum of the predictive log-likelihoods of all samples so far.
   */
  get logEvidence(): number {
    return this.#logEvidence;
  }

  /** Returns the weighted belief. */
  get estimate(): ClockEstimate {
    return this.#estimate ??= this.#weigh();
  }

  /** Returns the mean of a source's bias. */
  bias(slot: number): Seconds {
    let bias = 0;
    for (let i = 0; i < WANDERS.length; i++) {
      bias += (this.#weights[i] ?? 0) * this.#filter(i).bias(slot);
    }
    return bias;
  }

  /**
   * Returns what a source is expected to show now, or `ahead` seconds from now: the mean and the
   * variance of offset plus bias. What the oscillator adds until then is not in it.
   */
  view(slot: number, ahead: Seconds = 0): { readonly offset: Seconds; readonly variance: number } {
    const expected = (filter: ClockFilter) => filter.expected(slot) + ahead * filter.frequency;
    let offset = 0;
    for (let i = 0; i < WANDERS.length; i++) {
      offset += (this.#weights[i] ?? 0) * expected(this.#filter(i));
    }
    let variance = 0;
    for (let i = 0; i < WANDERS.length; i++) {
      const filter = this.#filter(i);
      const apart = expected(filter) - offset;
      variance += (this.#weights[i] ?? 0) * (filter.expectedVariance(slot, ahead) + apart * apart);
    }
    return { offset, variance };
  }

  /** Moves the belief about the offset. */
  shiftOffset(by: Seconds): void {
    this.#estimate = undefined;
    for (const filter of this.#filters) filter.shiftOffset(by);
  }

  /** Moves the belief about the offset against all biases: what sources show stays the same. */
  shiftAgainstBiases(by: Seconds): void {
    this.#estimate = undefined;
    for (const filter of this.#filters) filter.shiftAgainstBiases(by);
  }

  /** Admits that a source's bias may have changed by something of this variance. */
  inflateBias(slot: number, variance: number): void {
    if (variance === 0) return;
    for (const filter of this.#filters) filter.inflateBias(slot, variance);
  }

  /**
   * Compares two explanations of a source's two biases, of which the prior of one is known and the
   * other differs from it: the logarithm of how much more likely the samples are if the prior is
   * that of `to` instead of `from`. Then `changePrior` may follow.
   */
  priorEvidence(from: BiasPrior, to: BiasPrior): number {
    let evidence = 0;
    for (const [i, filter] of this.#filters.entries()) {
      const weight = this.#weights[i] ?? 0;
      const together = filter.biasVariance(to.slot) + to.variance;
      const gain = filter.biasCovariance(from.slot, to.slot) / together;
      const toMean = filter.bias(to.slot), fromMean = filter.bias(from.slot) - gain * toMean;
      const known = from.variance - filter.biasVariance(from.slot) +
        gain * filter.biasCovariance(from.slot, to.slot);
      // nothing is left of the prior that is to be taken away
      if (!(known > KNOWN_PART_MIN * from.variance)) return -Infinity;
      evidence += 0.5 * weight *
        (fromMean * fromMean / known - toMean * toMean / together +
          Math.log(from.variance / known * (from.variance / together)));
    }
    return evidence;
  }

  /** Gives a bias a prior, and takes away that of another one. */
  changePrior(from: BiasPrior, to: BiasPrior): void {
    this.#estimate = undefined;
    for (const filter of this.#filters) {
      filter.multiplyPrior(to.slot, to.variance);
      filter.multiplyPrior(from.slot, -from.variance);
    }
  }

  /**
   * Admits that the clock itself may have jumped by something of this variance (square seconds),
   * and its frequency changed by something of that one.
   */
  admitChange(offsetVariance: number, frequencyVariance: number): void {
    this.#estimate = undefined;
    for (const filter of this.#filters) {
      filter.inflateOffset(offsetVariance);
      filter.inflateFrequency(frequencyVariance);
    }
  }

  /** The logarithm of the density that all hypotheses together give the last sample. */
  #predictiveLogLikelihood(): number {
    const best = largestOf(this.#evidence);
    let sum = 0;
    for (let i = 0; i < WANDERS.length; i++) {
      sum += (this.#weights[i] ?? 0) * Math.exp((this.#evidence[i] ?? 0) - best);
    }
    return best + Math.log(sum);
  }

  #weigh(): ClockEstimate {
    let offset = 0, frequency = 0, wanderVariance = 0, logWander = 0;
    for (let i = 0; i < WANDERS.length; i++) {
      const weight = this.#weights[i] ?? 0, filter = this.#filter(i);
      offset += weight * filter.offset;
      frequency += weight * filter.frequency;
      wanderVariance += weight * (WANDERS[i] ?? 0) ** 2;
      logWander += weight * (LOG_WANDERS[i] ?? 0);
    }
    let offsetVariance = 0, frequencyVariance = 0, covariance = 0;
    for (let i = 0; i < WANDERS.length; i++) {
      const filter = this.#filter(i);
      const weight = this.#weights[i] ?? 0;
      const dOffset = filter.offset - offset;
      const dFrequency = filter.frequency - frequency;
      offsetVariance += weight * (filter.offsetVariance + dOffset * dOffset);
      frequencyVariance += weight * (filter.frequencyVariance + dFrequency * dFrequency);
      covariance += weight * (filter.offsetFrequencyCovariance + dOffset * dFrequency);
    }
    const likelyWanderVariance = Math.exp(2 * logWander);
    return {
      offset,
      offsetVariance,
      frequency,
      frequencyVariance,
      likelyFrequencyVariance: this.#likelyFrequencyVariance(),
      covariance,
      wanderVariance,
      likelyWanderVariance,
    };
  }

  /**
   * The variance of the frequency by what the hypotheses have beyond the least weight. That weight
   * keeps a hypothesis ready, and lets the belief follow at once; it is no evidence.
   */
  #likelyFrequencyVariance(): number {
    const least = WEIGHT_MIN * largestOf(this.#weights);
    let sum = 0, mean = 0, square = 0;
    for (let i = 0; i < WANDERS.length; i++) {
      const filter = this.#filter(i);
      const credit = (this.#weights[i] ?? 0) - least;
      if (credit <= 0) continue;
      const apart = filter.frequency - mean;
      sum += credit;
      mean += apart * credit / sum;
      square += credit * (filter.frequencyVariance + apart * (filter.frequency - mean));
    }
    return square / sum;
  }

  /** Takes over half of the evidence of another bank about the wander. */
  #adoptWeights(previous: FilterBank): void {
    for (let i = 0; i < this.#logWeights.length; i++) {
      this.#logWeights[i] = 0.5 * ((this.#logWeights[i] ?? 0) + (previous.#logWeights[i] ?? 0));
      this.#weights[i] = Math.exp(this.#logWeights[i] ?? 0);
    }
    const sum = this.#weights.reduce((a, b) => a + b, 0);
    for (let i = 0; i < this.#weights.length; i++) this.#weights[i] = (this.#weights[i] ?? 0) / sum;
  }

  #normalise(): void {
    const logs = this.#logWeights;
    let best = 0;
    for (let i = 1; i < logs.length; i++) if ((logs[i] ?? 0) > (logs[best] ?? 0)) best = i;
    const largest = logs[best] ?? 0;
    let sum = 0;
    for (let i = 0; i < logs.length; i++) {
      logs[i] = Math.max((logs[i] ?? 0) - largest, LOG_WEIGHT_MIN);
      this.#weights[i] = Math.exp(logs[i] ?? 0);
      sum += this.#weights[i] ?? 0;
    }
    for (let i = 0; i < logs.length; i++) {
      if (logs[i] === LOG_WEIGHT_MIN) this.#filter(i).adopt(this.#filter(best));
      this.#weights[i] = (this.#weights[i] ?? 0) / sum;
    }
  }

  #filter(hypothesis: number): ClockFilter {
    return present(this.#filters[hypothesis], "Each hypothesis has a filter");
  }
}

function largestOf(values: Float64Array): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i] ?? -Infinity);
  return largest;
}
