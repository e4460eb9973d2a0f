/**
 * One belief about the clock: its offset, its frequency, and the bias that each source's path adds.
 *
 * The state is (offset, frequency, bias of source 0, bias of source 1, ...) with a full covariance. The clock it speaks of
 * is the free-running one (`local_time.ts`), so slews and steps never enter it. The oscillator is modelled as white noise
 * and a random walk in frequency of a given strength; a bank of these filters (`filter_bank.ts`) learns the strength. A
 * source's bias (the asymmetry of its path, the server's own error) is a constant with an expected size; it takes up what
 * one source says against all others, so that changing the set of sources does not move the clock, and the uncertainty of
 * the offset never falls below what the paths allow.
 *
 * Limits: at most `SLOTS_MAX` sources; updates are moment-matched, which is exact for Gaussian observations only.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { Evidence } from "./normal.ts";

/** How many sources one filter can hold. */
export const SLOTS_MAX = 32;

const OFFSET = 0;
const FREQUENCY = 1;
const FIRST_BIAS = 2;

/** How the oscillator moves between observations. */
export interface OscillatorModel {
  /** The random walk of frequency: standard deviation of the change over one second, seconds per second. */
  readonly wander: number;
  /** White frequency noise: standard deviation of the phase gained over one second, seconds. */
  readonly whiteNoise: number;
}

/** A Gaussian belief about offset, frequency and path biases. */
export class ClockFilter {
  readonly #model: OscillatorModel;
  #slots = 0;
  #size = FIRST_BIAS;
  #mean = new Float64Array(FIRST_BIAS);
  #covariance = new Float64Array(FIRST_BIAS * FIRST_BIAS);
  #gain = new Float64Array(FIRST_BIAS);

  /** Starts with the given mean and variance of offset (seconds) and frequency (seconds per second). */
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
    this.#mean[OFFSET] = start.offset;
    this.#mean[FREQUENCY] = start.frequency;
    this.#covariance[0] = start.offsetVariance;
    this.#covariance[3] = start.frequencyVariance;
  }

  /** The belief's mean offset: positive when true time is ahead of the free-running clock. */
  get offset(): Seconds {
    return this.#mean[OFFSET] ?? 0;
  }

  /** The rate at which the offset grows, seconds per second. */
  get frequency(): number {
    return this.#mean[FREQUENCY] ?? 0;
  }

  /** The variance of the offset, square seconds. */
  get offsetVariance(): number {
    return this.#covariance[0] ?? 0;
  }

  /** The variance of the frequency. */
  get frequencyVariance(): number {
    return this.#covariance[this.#size + 1] ?? 0;
  }

  /** The covariance of offset and frequency. */
  get offsetFrequencyCovariance(): number {
    return this.#covariance[1] ?? 0;
  }

  /** The number of sources it holds. */
  get slots(): number {
    return this.#slots;
  }

  /** The mean bias of a source. */
  bias(slot: number): Seconds {
    return this.#mean[FIRST_BIAS + slot] ?? 0;
  }

  /** The variance of a source's bias. */
  biasVariance(slot: number): number {
    const index = FIRST_BIAS + slot;
    return this.#covariance[index * this.#size + index] ?? 0;
  }

  /**
   * Adds a source and returns its slot. `variance` is that of its bias; `shared` gives the covariance of its bias with that
   * of the slots before it (sources that share a path share its asymmetry), missing entries mean 0.
   */
  addSource(variance: number, shared: readonly number[] = []): number {
    assert(this.#slots < SLOTS_MAX, "A clock filter holds at most SLOTS_MAX sources");
    const size = this.#size + 1;
    const covariance = new Float64Array(size * size);
    for (let i = 0; i < this.#size; i++) {
      for (let j = 0; j < this.#size; j++) {
        covariance[i * size + j] = this.#covariance[i * this.#size + j] ?? 0;
      }
    }
    const index = size - 1;
    shared.forEach((value, slot) => {
      covariance[index * size + FIRST_BIAS + slot] = value;
      covariance[(FIRST_BIAS + slot) * size + index] = value;
    });
    covariance[index * size + index] = variance;
    const mean = new Float64Array(size);
    mean.set(this.#mean);
    this.#mean = mean;
    this.#covariance = covariance;
    this.#gain = new Float64Array(size);
    this.#size = size;
    return this.#slots++;
  }

  /** Lets the clock run for `elapsed` seconds. */
  advance(elapsed: Seconds): void {
    if (!(elapsed > 0)) return;
    const p = this.#covariance;
    const n = this.#size;
    const x = this.#mean;
    x[OFFSET] = (x[OFFSET] ?? 0) + elapsed * (x[FREQUENCY] ?? 0);
    for (let j = 0; j < n; j++) p[j] = (p[j] ?? 0) + elapsed * (p[n + j] ?? 0);
    for (let i = 0; i < n; i++) p[i * n] = (p[i * n] ?? 0) + elapsed * (p[i * n + 1] ?? 0);
    const walk = this.#model.wander * this.#model.wander;
    const white = this.#model.whiteNoise * this.#model.whiteNoise;
    const cross = 0.5 * walk * elapsed * elapsed;
    p[0] = (p[0] ?? 0) + walk * elapsed * elapsed * elapsed / 3 + white * elapsed;
    p[1] = (p[1] ?? 0) + cross;
    p[n] = (p[n] ?? 0) + cross;
    p[n + 1] = (p[n + 1] ?? 0) + walk * elapsed;
  }

  /** Returns the mean of what source `slot` would show now: the offset plus its bias. */
  expected(slot: number): Seconds {
    return (this.#mean[OFFSET] ?? 0) + (this.#mean[FIRST_BIAS + slot] ?? 0);
  }

  /** Returns the variance of what source `slot` would show now, before the noise of a sample. */
  expectedVariance(slot: number): number {
    const n = this.#size;
    const i = FIRST_BIAS + slot;
    const p = this.#covariance;
    return (p[0] ?? 0) + 2 * (p[i] ?? 0) + (p[i * n + i] ?? 0);
  }

  /** Takes in what an observation of source `slot` showed, as the evidence for `expected(slot)`. */
  update(slot: number, evidence: Evidence): void {
    const n = this.#size;
    const p = this.#covariance;
    const row = (FIRST_BIAS + slot) * n;
    const gain = this.#gain;
    const x = this.#mean;
    for (let i = 0; i < n; i++) gain[i] = (p[i] ?? 0) + (p[row + i] ?? 0);
    for (let i = 0; i < n; i++) {
      const g = gain[i] ?? 0;
      x[i] = (x[i] ?? 0) + g * evidence.slope;
      const bend = g * evidence.curvature;
      for (let j = 0; j < n; j++) p[i * n + j] = (p[i * n + j] ?? 0) + bend * (gain[j] ?? 0);
    }
  }

  /** Takes over the belief of another filter (not its model); both must hold the same sources. */
  adopt(other: ClockFilter): void {
    assert(this.#slots === other.#slots, "A clock filter adopts from one with the same sources");
    this.#mean.set(other.#mean);
    this.#covariance.set(other.#covariance);
  }

  /** Moves the belief about the offset, when the free-running clock itself was redefined by a step. */
  shiftOffset(by: Seconds): void {
    this.#mean[OFFSET] = (this.#mean[OFFSET] ?? 0) + by;
  }

  /** Admits that the offset may have changed by something of this variance. */
  inflateOffset(variance: number): void {
    this.#covariance[0] = (this.#covariance[0] ?? 0) + variance;
  }

  /** Admits that the frequency may have changed by something of this variance. */
  inflateFrequency(variance: number): void {
    const index = this.#size + 1;
    this.#covariance[index] = (this.#covariance[index] ?? 0) + variance;
  }

  /** Admits that a source's bias may have changed by something of this variance. */
  inflateBias(slot: number, variance: number): void {
    const index = (FIRST_BIAS + slot) * (this.#size + 1);
    this.#covariance[index] = (this.#covariance[index] ?? 0) + variance;
  }
}
