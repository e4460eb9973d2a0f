/**
 * A Gaussian belief about the clock: its offset, its frequency, and the bias that the path of each
 * source adds.
 *
 * The clock is the free-running one (`free_running_clock.ts`), so slews and steps never enter the
 * filter. The oscillator is modelled as white noise and a random walk in frequency of a given
 * strength; a bank of these filters (`filter_bank.ts`) learns the strength. The bias of a source
 * (the asymmetry of its path, the server's own error) is a constant with an expected size. It
 * absorbs the difference of one source from all others. So a change of the set of sources does not
 * move the clock, and the uncertainty of the offset never falls below what the paths allow.
 *
 * The covariance is kept as its triangular root (`normal_state.ts`), with the state in the order
 * bias of source 0, bias of source 1, ..., frequency, offset. So a server that admits seconds while
 * its samples are good to nanoseconds costs no digits that matter.
 *
 * Limits: updates are moment-matched, which is exact for Gaussian observations only; the work grows
 * with the square of the number of sources.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { Evidence } from "./normal.ts";
import { NormalState } from "./normal_state.ts";

/** Offset and frequency come last in the state. */
const CLOCK_STATES = 2;

/** How the oscillator moves between observations. */
export interface OscillatorModel {
  /**
   * The random walk of frequency: standard deviation of the change over one second, seconds per
   * second.
   */
  readonly wander: number;
  /** White frequency noise: standard deviation of the phase gained over one second, seconds. */
  readonly whiteNoise: number;
}

/** How the bias of a new source depends on those of the sources before it. */
export interface BiasModel {
  /** The variance of the part that is the source's own. */
  readonly ownVariance: number;
  /** The rest is the sum of these parts of the other biases, by slot; missing ones are 0. */
  readonly shares: readonly number[];
}

/** A Gaussian belief about offset, frequency and path biases. */
export class ClockFilter {
  readonly #model: OscillatorModel;
  #slots = 0;
  readonly #state = new NormalState(CLOCK_STATES);

  /**
   * Starts with the given mean and variance of offset (seconds) and frequency (seconds per second).
   */
  constructor(
    model: OscillatorModel,
    start: {
      readonly offset: number;
      readonly offsetVariance: number;
      readonly frequency: number;
      readonly frequencyVariance: number;
    },
  ) {
    this.#model = model;
    const { mean, root } = this.#state;
    mean[0] = start.frequency;
    mean[1] = start.offset;
    root[0] = Math.sqrt(start.frequencyVariance);
    root[3] = Math.sqrt(start.offsetVariance);
  }

  /** The belief's mean offset: positive when true time is ahead of the free-running clock. */
  get offset(): Seconds {
    return this.#state.mean[this.#state.size - 1] ?? 0;
  }

  /** The rate at which the offset grows, seconds per second. */
  get frequency(): number {
    return this.#state.mean[this.#state.size - 2] ?? 0;
  }

  /** The variance of the offset, square seconds. */
  get offsetVariance(): number {
    return this.#state.covariance(this.#state.size - 1, this.#state.size - 1);
  }

  /** The variance of the frequency. */
  get frequencyVariance(): number {
    return this.#state.covariance(this.#state.size - 2, this.#state.size - 2);
  }

  /** The covariance of offset and frequency. */
  get offsetFrequencyCovariance(): number {
    return this.#state.covariance(this.#state.size - 1, this.#state.size - 2);
  }

  /** How many sources it holds. */
  get slots(): number {
    return this.#slots;
  }

  /** The mean bias of a source. */
  bias(slot: number): Seconds {
    return this.#state.mean[slot] ?? 0;
  }

  /** The variance of a source's bias. */
  biasVariance(slot: number): number {
    return this.#state.covariance(slot, slot);
  }

  /** Adds a source and returns its slot. */
  addSource(bias: BiasModel): number {
    const slot = this.#slots;
    this.#state.insert(slot);
    this.#slots++;
    const n = this.#state.size;
    let mean = 0;
    for (let other = 0; other < slot; other++) {
      const share = bias.shares[other] ?? 0;
      if (share === 0) continue;
      mean += share * (this.#state.mean[other] ?? 0);
      for (let j = 0; j <= other; j++) {
        this.#state.root[j * n + slot] = (this.#state.root[j * n + slot] ?? 0) +
          share * (this.#state.root[j * n + other] ?? 0);
      }
    }
    this.#state.mean[slot] = mean;
    this.#state.root[slot * n + slot] = Math.sqrt(bias.ownVariance);
    return slot;
  }

  /**
   * Removes a source; what its samples showed of the clock stays. The slots after it move down by
   * one.
   */
  removeSource(slot: number): void {
    assert(slot < this.#slots, "A source that is removed was added");
    this.#state.remove(slot);
    this.#slots--;
  }

  /** Lets the clock run for `elapsed` seconds. */
  advance(elapsed: Seconds): void {
    if (!(elapsed > 0)) return;
    const n = this.#state.size, offset = n - 1, frequency = n - 2;
    const root = this.#state.root;
    const x = this.#state.mean;
    x[offset] = (x[offset] ?? 0) + elapsed * (x[frequency] ?? 0);
    for (let j = 0; j <= frequency; j++) {
      root[j * n + offset] = (root[j * n + offset] ?? 0) +
        elapsed * (root[j * n + frequency] ?? 0);
    }
    const { wander, whiteNoise } = this.#model;
    const walk = wander * Math.sqrt(elapsed);
    // the root of the covariance that the walk adds: [walk², walk² τ/2; walk² τ/2, walk² τ²/3 +
    // white² τ]
    this.#state.addCommonNoise(frequency, { own: walk, next: 0.5 * walk * elapsed });
    const own = walk * elapsed;
    this.#state.addNoise(offset, Math.sqrt(own * own / 12 + whiteNoise * whiteNoise * elapsed));
  }

  /** Returns the mean of what source `slot` would show now: the offset plus its bias. */
  expected(slot: number): Seconds {
    return this.offset + (this.#state.mean[slot] ?? 0);
  }

  /**
   * Returns the variance of what source `slot` would show now, or `ahead` seconds from now, before
   * the noise of a sample and without what the oscillator adds until then.
   */
  expectedVariance(slot: number, ahead: Seconds = 0): number {
    const n = this.#state.size;
    const root = this.#state.root;
    let sum = 0;
    for (let j = 0; j < n; j++) {
      let term = root[j * n + n - 1] ?? 0;
      if (j <= slot) term += root[j * n + slot] ?? 0;
      if (ahead > 0 && j <= n - 2) term += ahead * (root[j * n + n - 2] ?? 0);
      sum += term * term;
    }
    return sum;
  }

  /**
   * Updates the belief with an observation of source `slot`, given as the evidence for
   * `expected(slot)`.
   */
  update(slot: number, evidence: Evidence): void {
    const n = this.#state.size;
    const { slope, remaining } = evidence;
    const { row, root } = this.#state;
    let variance = 0;
    for (let j = 0; j < n; j++) {
      const term = (root[j * n + n - 1] ?? 0) + (j <= slot ? root[j * n + slot] ?? 0 : 0);
      row[j] = term;
      variance += term * term;
    }
    // what is known exactly cannot be learned
    if (!(variance > 0 && remaining > 0)) return;
    this.#state.observe({ variance, slope, remaining });
  }

  /** The covariance of the biases of two sources. */
  biasCovariance(a: number, b: number): number {
    return this.#state.covariance(a, b);
  }

  /**
   * Multiplies the belief by a normal density of a bias, with mean 0; one of negative variance is
   * divided by.
   */
  multiplyPrior(slot: number, variance: number): void {
    const before = this.biasVariance(slot);
    const { size: n, root, row } = this.#state;
    row.fill(0);
    for (let j = 0; j <= slot; j++) row[j] = root[j * n + slot] ?? 0;
    const slope = -this.bias(slot) / (before + variance);
    this.#state.observe({ variance: before, slope, remaining: variance / (before + variance) });
  }

  /** Takes over the belief of another filter (not its model); both must hold the same sources. */
  adopt(other: ClockFilter): void {
    assert(this.#slots === other.#slots, "A clock filter adopts from one with the same sources");
    this.#state.adopt(other.#state);
  }

  /**
   * Moves the belief about the offset, when the free-running clock itself was redefined by a step.
   */
  shiftOffset(by: Seconds): void {
    this.#state.mean[this.#state.size - 1] = this.offset + by;
  }

  /** Moves the offset against the biases of all sources: what these show stays the same. */
  shiftAgainstBiases(by: Seconds): void {
    const { mean } = this.#state;
    for (let slot = 0; slot < this.#slots; slot++) mean[slot] = this.bias(slot) - by;
    this.shiftOffset(by);
  }

  /** Admits that the offset may have changed by something of this variance. */
  inflateOffset(variance: number): void {
    this.#state.addNoise(this.#state.size - 1, Math.sqrt(variance));
  }

  /** Admits that the frequency may have changed by something of this variance. */
  inflateFrequency(variance: number): void {
    this.#state.addNoise(this.#state.size - 2, Math.sqrt(variance));
  }

  /** Admits that a source's bias may have changed by something of this variance. */
  inflateBias(slot: number, variance: number): void {
    this.#state.addNoise(slot, Math.sqrt(variance));
  }
}
