/**
 * What is known of a free-running clock when nothing about its world has to be learned: a particle
 * filter, exact but for the number of its particles.
 *
 * The problem: samples say that the offset lies in an interval, so what is known of the clock is no
 * Gaussian, and a filter that takes it for one says little about what is possible. The idea: each
 * particle is one possible course of the offset. Given that course, the frequency is known by the
 * equations of Kalman, with one and the same variance for all particles; so a particle is an offset
 * and a mean frequency, and only the offset is drawn (Rao-Blackwell). A sample that is much sharper
 * than what the oscillator does between two samples is looked at before the particles are drawn.
 * The filter begins with the truth: what it did not know then would be forgotten long before
 * anything is measured.
 *
 * Limits: the oscillator is a random walk of frequency with steps at whole seconds, as simulated;
 * many samples at once that are far sharper than what was known before leave few particles alive.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Draws } from "../../src/simulation/draws.ts";

/** What a filter begins with. */
export interface ParticleClockOptions {
  /** The offset at time 0, in seconds. */
  readonly offset: number;
  /** What the offset gains a second at time 0. */
  readonly frequency: number;
  /** The standard deviation of the step that the frequency takes at each whole second. */
  readonly wander: number;
  /** The number of particles. */
  readonly particles: number;
  /** Where the filter draws from. */
  readonly draws: Draws;
}

/** What is observed of the offset at one moment. */
export interface Sample {
  /** Seconds since the start. */
  readonly time: number;
  /** The offset is at least this. */
  readonly low: number;
  /** And at most this. */
  readonly high: number;
  /** Returns the likelihood of an offset between the two, up to a factor. */
  readonly density: (offset: number) => number;
}

/** A sample narrower than this, in deviations of the drawn offsets, is looked at before. */
const NARROW = 2;

/** The particles. Time only goes forward. */
export class ParticleClock {
  readonly #wander: number;
  readonly #draws: Draws;
  #time = 0;
  /** The mean of the particles at `#time`. */
  #offset: number;
  #frequency: number;
  /** The variance of the frequency of each particle, given its course. */
  #variance = 0;
  #offsets: Float64Array;
  #frequencies: Float64Array;
  /** What was drawn for each particle: its offset less the expected one. */
  readonly #drawn: Float64Array;
  readonly #logWeights: Float64Array;
  readonly #weights: Float64Array;
  #spareOffsets: Float64Array;
  #spareFrequencies: Float64Array;

  /** Begins at time 0 with the truth. */
  constructor({ offset, frequency, wander, particles, draws }: ParticleClockOptions) {
    this.#wander = wander;
    this.#draws = draws;
    this.#offset = offset;
    this.#frequency = frequency;
    this.#offsets = new Float64Array(particles).fill(offset);
    this.#frequencies = new Float64Array(particles).fill(frequency);
    this.#drawn = new Float64Array(particles);
    this.#logWeights = new Float64Array(particles);
    this.#weights = new Float64Array(particles).fill(1 / particles);
    this.#spareOffsets = new Float64Array(particles);
    this.#spareFrequencies = new Float64Array(particles);
  }

  /** Returns the best estimate of the offset at `time`, not before the last sample. */
  offsetAt(time: number): number {
    return this.#offset + (time - this.#time) * this.#frequency;
  }

  /** Takes in a sample, which is not before the last one. */
  observe(sample: Sample): void {
    const { deviation, gain } = this.#advance(sample.time);
    const isNarrow = sample.high - sample.low < NARROW * deviation;
    if (isNarrow || !this.#drawFromClock(sample, deviation)) {
      this.#drawFromSample(sample, deviation);
    }
    for (let i = 0; i < this.#drawn.length; i++) {
      const drawn = this.#drawn[i] ?? 0;
      this.#offsets[i] = (this.#offsets[i] ?? 0) + drawn;
      this.#frequencies[i] = (this.#frequencies[i] ?? 0) + gain * drawn;
    }
    this.#average();
  }

  /**
   * Moves all particles to where they are expected at `time`. Returns the standard deviation of an
   * offset around that, and what a difference of the offset says of the frequency.
   */
  #advance(time: number): { deviation: number; gain: number } {
    const elapsed = time - this.#time;
    const noise = walk(this.#time, time);
    const square = this.#wander ** 2;
    const variance = elapsed ** 2 * this.#variance + square * noise.offset;
    const covariance = elapsed * this.#variance + square * noise.covariance;
    const gain = variance > 0 ? covariance / variance : 0;
    this.#variance = Math.max(0, this.#variance + square * noise.frequency - gain * covariance);
    this.#time = time;
    for (let i = 0; i < this.#offsets.length; i++) {
      this.#offsets[i] = (this.#offsets[i] ?? 0) + elapsed * (this.#frequencies[i] ?? 0);
    }
    return { deviation: Math.sqrt(variance), gain };
  }

  /**
   * Draws what the oscillator did, and weighs each particle by the sample. Returns whether any
   * fits.
   */
  #drawFromClock({ low, high, density }: Sample, deviation: number): boolean {
    let best = 0;
    for (let i = 0; i < this.#drawn.length; i++) {
      const drawn = deviation * this.#draws.normal();
      const offset = (this.#offsets[i] ?? 0) + drawn;
      const likelihood = offset < low || offset > high ? 0 : density(offset);
      this.#drawn[i] = drawn;
      this.#logWeights[i] = Math.log((this.#weights[i] ?? 0) * likelihood);
      best = Math.max(best, likelihood);
    }
    return best > 0;
  }

  /** Draws offsets that the sample allows, and weighs each particle by what the clock says. */
  #drawFromSample({ low, high, density }: Sample, deviation: number): void {
    assert(deviation > 0 && Number.isFinite(high - low), "No particle fits a sample");
    for (let i = 0; i < this.#drawn.length; i++) {
      const offset = low + (high - low) * this.#draws.uniform();
      const drawn = offset - (this.#offsets[i] ?? 0);
      this.#drawn[i] = drawn;
      this.#logWeights[i] = Math.log((this.#weights[i] ?? 0) * density(offset)) -
        0.5 * (drawn / deviation) ** 2;
    }
  }

  /** Takes the mean by the new weights, and draws the particles anew if few of them count. */
  #average(): void {
    let best = -Infinity;
    for (const weight of this.#logWeights) best = Math.max(best, weight);
    assert(best > -Infinity, "No particle fits a sample");
    const sums = { weight: 0, square: 0, offset: 0, frequency: 0 };
    for (let i = 0; i < this.#weights.length; i++) {
      const weight = Math.exp((this.#logWeights[i] ?? 0) - best);
      this.#weights[i] = weight;
      sums.weight += weight;
      sums.square += weight * weight;
      sums.offset += weight * ((this.#offsets[i] ?? 0) - this.#offset);
      sums.frequency += weight * ((this.#frequencies[i] ?? 0) - this.#frequency);
    }
    this.#offset += sums.offset / sums.weight;
    this.#frequency += sums.frequency / sums.weight;
    const counting = sums.weight ** 2 / sums.square;
    if (counting < this.#weights.length / 2) this.#resample(sums.weight);
  }

  /** Draws the particles anew, each as often as its weight says (systematic resampling). */
  #resample(total: number): void {
    const count = this.#weights.length;
    const start = this.#draws.uniform();
    let from = 0, sum = this.#weights[0] ?? 0;
    for (let i = 0; i < count; i++) {
      const at = (i + start) / count * total;
      while (sum < at && from < count - 1) sum += this.#weights[++from] ?? 0;
      this.#spareOffsets[i] = this.#offsets[from] ?? 0;
      this.#spareFrequencies[i] = this.#frequencies[from] ?? 0;
    }
    [this.#offsets, this.#spareOffsets] = [this.#spareOffsets, this.#offsets];
    [this.#frequencies, this.#spareFrequencies] = [this.#spareFrequencies, this.#frequencies];
    this.#weights.fill(1 / count);
  }
}

/** What a walk of frequency with steps of variance 1 at whole seconds adds to a covariance. */
export interface Walk {
  /** To the variance of the offset. */
  readonly offset: number;
  /** To the covariance of offset and frequency. */
  readonly covariance: number;
  /** To the variance of the frequency. */
  readonly frequency: number;
}

/** Returns what the steps after `from` and up to `to` add until `to`. */
export function walk(from: number, to: number): Walk {
  const count = Math.floor(to) - Math.floor(from);
  const last = to - Math.floor(to);
  // the sums of last + k and of its square, for k from 0 to count - 1
  const sum = count * (count - 1) / 2;
  const squares = sum * (2 * count - 1) / 3;
  return {
    offset: count * last * last + 2 * last * sum + squares,
    covariance: count * last + sum,
    frequency: count,
  };
}
