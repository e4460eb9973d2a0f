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
 * The covariance is kept as its triangular root L (covariance = L Lᵀ), with the state in the order
 * bias of source 0, bias of source 1, ..., frequency, offset. So every variance is a sum of
 * squares, whatever the input, and a server that admits seconds while its samples are good to
 * nanoseconds costs no digits that matter. An update multiplies the root by the root of I + c f fᵀ
 * with f = Lᵀh (Carlson's form), noise is added by rotations (Bierman, Factorization Methods for
 * Discrete Sequential Estimation, 1977).
 *
 * Limits: updates are moment-matched, which is exact for Gaussian observations only; the work grows
 * with the square of the number of sources.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { Evidence } from "./normal.ts";

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
  #size = CLOCK_STATES;
  #mean = new Float64Array(CLOCK_STATES);
  /** Column by column; what lies above the diagonal is not used. */
  #root = new Float64Array(CLOCK_STATES * CLOCK_STATES);
  /** For the time of one call: Lᵀh, the sums of its squares, L Lᵀh. */
  #f = new Float64Array(CLOCK_STATES);
  #sums = new Float64Array(CLOCK_STATES + 1);
  #gain = new Float64Array(CLOCK_STATES);

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
    this.#mean[0] = start.frequency;
    this.#mean[1] = start.offset;
    this.#root[0] = Math.sqrt(start.frequencyVariance);
    this.#root[3] = Math.sqrt(start.offsetVariance);
  }

  /** The belief's mean offset: positive when true time is ahead of the free-running clock. */
  get offset(): Seconds {
    return this.#mean[this.#size - 1] ?? 0;
  }

  /** The rate at which the offset grows, seconds per second. */
  get frequency(): number {
    return this.#mean[this.#size - 2] ?? 0;
  }

  /** The variance of the offset, square seconds. */
  get offsetVariance(): number {
    return this.#covariance(this.#size - 1, this.#size - 1);
  }

  /** The variance of the frequency. */
  get frequencyVariance(): number {
    return this.#covariance(this.#size - 2, this.#size - 2);
  }

  /** The covariance of offset and frequency. */
  get offsetFrequencyCovariance(): number {
    return this.#covariance(this.#size - 1, this.#size - 2);
  }

  /** How many sources it holds. */
  get slots(): number {
    return this.#slots;
  }

  /** The mean bias of a source. */
  bias(slot: number): Seconds {
    return this.#mean[slot] ?? 0;
  }

  /** The variance of a source's bias. */
  biasVariance(slot: number): number {
    return this.#covariance(slot, slot);
  }

  /** Adds a source and returns its slot. */
  addSource(bias: BiasModel): number {
    const slot = this.#slots;
    this.#grow(slot);
    const n = this.#size;
    let mean = 0;
    for (let other = 0; other < slot; other++) {
      const share = bias.shares[other] ?? 0;
      if (share === 0) continue;
      mean += share * (this.#mean[other] ?? 0);
      for (let j = 0; j <= other; j++) {
        this.#root[j * n + slot] = (this.#root[j * n + slot] ?? 0) +
          share * (this.#root[j * n + other] ?? 0);
      }
    }
    this.#mean[slot] = mean;
    this.#root[slot * n + slot] = Math.sqrt(bias.ownVariance);
    return slot;
  }

  /**
   * Removes a source; what its samples showed of the clock stays. The slots after it move down by
   * one.
   */
  removeSource(slot: number): void {
    assert(slot < this.#slots, "A source that is removed was added");
    this.#shrink(slot);
  }

  /** Lets the clock run for `elapsed` seconds. */
  advance(elapsed: Seconds): void {
    if (!(elapsed > 0)) return;
    const n = this.#size, offset = n - 1, frequency = n - 2;
    const root = this.#root;
    const x = this.#mean;
    x[offset] = (x[offset] ?? 0) + elapsed * (x[frequency] ?? 0);
    for (let j = 0; j <= frequency; j++) {
      root[j * n + offset] = (root[j * n + offset] ?? 0) +
        elapsed * (root[j * n + frequency] ?? 0);
    }
    const { wander, whiteNoise } = this.#model;
    const walk = wander * Math.sqrt(elapsed);
    // the root of the covariance that the walk adds: [walk², walk² τ/2; walk² τ/2, walk² τ²/3 +
    // white² τ]
    this.#addNoise(frequency, walk, 0.5 * walk * elapsed);
    const own = walk * elapsed;
    this.#addNoise(offset, Math.sqrt(own * own / 12 + whiteNoise * whiteNoise * elapsed));
  }

  /** Returns the mean of what source `slot` would show now: the offset plus its bias. */
  expected(slot: number): Seconds {
    return this.offset + (this.#mean[slot] ?? 0);
  }

  /**
   * Returns the variance of what source `slot` would show now, or `ahead` seconds from now, before
   * the noise of a sample and without what the oscillator adds until then.
   */
  expectedVariance(slot: number, ahead: Seconds = 0): number {
    const n = this.#size;
    const root = this.#root;
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
    const n = this.#size;
    const { slope, remaining } = evidence;
    const f = this.#f, gain = this.#gain, root = this.#root;
    let variance = 0;
    for (let j = 0; j < n; j++) {
      const term = (root[j * n + n - 1] ?? 0) + (j <= slot ? root[j * n + slot] ?? 0 : 0);
      f[j] = term;
      gain[j] = 0;
      variance += term * term;
    }
    // what is known exactly cannot be learned
    if (!(variance > 0 && remaining > 0)) return;
    this.#multiply({ variance, slope, remaining });
  }

  /**
   * Multiplies the belief by an observation of the variance given, whose row is in `#f`; `#gain`
   * holds zeros.
   */
  #multiply({ variance, slope, remaining }: {
    readonly variance: number;
    readonly slope: number;
    readonly remaining: number;
  }): void {
    const n = this.#size;
    const f = this.#f, gain = this.#gain, root = this.#root, x = this.#mean;
    const c = (remaining - 1) / variance;
    const sums = this.#sumSquares(c, remaining);
    for (let j = n - 1; j >= 0; j--) {
      const before = sums[j] ?? 1, after = sums[j + 1] ?? 1, term = f[j] ?? 0;
      const diagonal = Math.sqrt(after / before);
      const side = c * term / Math.sqrt(after * before);
      for (let i = j; i < n; i++) {
        const entry = root[j * n + i] ?? 0, sum = gain[i] ?? 0;
        root[j * n + i] = entry * diagonal + side * sum;
        gain[i] = sum + entry * term;
      }
    }
    for (let i = 0; i < n; i++) x[i] = (x[i] ?? 0) + (gain[i] ?? 0) * slope;
  }

  /** The covariance of the biases of two sources. */
  biasCovariance(a: number, b: number): number {
    return this.#covariance(a, b);
  }

  /**
   * Multiplies the belief by a normal density of a bias, with mean 0; one of negative variance is
   * divided by.
   */
  multiplyPrior(slot: number, variance: number): void {
    const before = this.biasVariance(slot);
    const n = this.#size;
    this.#f.fill(0);
    this.#gain.fill(0);
    for (let j = 0; j <= slot; j++) this.#f[j] = this.#root[j * n + slot] ?? 0;
    const slope = -this.bias(slot) / (before + variance);
    this.#multiply({ variance: before, slope, remaining: variance / (before + variance) });
  }

  /** Takes over the belief of another filter (not its model); both must hold the same sources. */
  adopt(other: ClockFilter): void {
    assert(this.#slots === other.#slots, "A clock filter adopts from one with the same sources");
    this.#mean.set(other.#mean);
    this.#root.set(other.#root);
  }

  /**
   * Moves the belief about the offset, when the free-running clock itself was redefined by a step.
   */
  shiftOffset(by: Seconds): void {
    this.#mean[this.#size - 1] = this.offset + by;
  }

  /** Admits that the offset may have changed by something of this variance. */
  inflateOffset(variance: number): void {
    this.#addNoise(this.#size - 1, Math.sqrt(variance));
  }

  /** Admits that the frequency may have changed by something of this variance. */
  inflateFrequency(variance: number): void {
    this.#addNoise(this.#size - 2, Math.sqrt(variance));
  }

  /** Admits that a source's bias may have changed by something of this variance. */
  inflateBias(slot: number, variance: number): void {
    this.#addNoise(slot, Math.sqrt(variance));
  }

  #covariance(a: number, b: number): number {
    const n = this.#size;
    const last = Math.min(a, b);
    let sum = 0;
    for (let j = 0; j <= last; j++) {
      sum += (this.#root[j * n + a] ?? 0) * (this.#root[j * n + b] ?? 0);
    }
    return sum;
  }

  /**
   * Sums of 1 + c f₀² + ... + c f², up to `remaining` for all, added from the end at which no
   * digits are lost.
   */
  #sumSquares(c: number, remaining: number): Float64Array {
    const n = this.#size;
    const f = this.#f, sums = this.#sums;
    sums[0] = 1;
    sums[n] = remaining;
    if (c > 0) {
      for (let j = 0; j < n; j++) sums[j + 1] = (sums[j] ?? 1) + c * (f[j] ?? 0) * (f[j] ?? 0);
    } else {
      for (let j = n - 1; j > 0; j--) sums[j] = (sums[j + 1] ?? 1) - c * (f[j] ?? 0) * (f[j] ?? 0);
    }
    return sums;
  }

  /**
   * Adds to the covariance the square of a vector with these entries from state `first` on, and
   * zeros else.
   */
  #addNoise(first: number, own: number, next = 0): void {
    const noise = this.#gain;
    noise.fill(0);
    noise[first] = own;
    if (next !== 0) noise[first + 1] = next;
    this.#rotateIn(first);
  }

  /** Takes the vector in `#gain` into the root, entry by entry from state `first` on. */
  #rotateIn(first: number): void {
    const n = this.#size;
    const root = this.#root, noise = this.#gain;
    for (let j = first; j < n; j++) {
      const entry = root[j * n + j] ?? 0, term = noise[j] ?? 0;
      if (term === 0) continue;
      const length = Math.sqrt(entry * entry + term * term);
      const cos = entry / length, sin = term / length;
      for (let i = j; i < n; i++) {
        const below = root[j * n + i] ?? 0, rest = noise[i] ?? 0;
        root[j * n + i] = cos * below + sin * rest;
        noise[i] = cos * rest - sin * below;
      }
    }
  }

  /** Makes room for a bias at `slot`, before frequency and offset. */
  #grow(slot: number): void {
    assert(slot <= this.#slots, "Slots of a clock filter leave no gap");
    const old = { n: this.#size, mean: this.#mean, root: this.#root };
    this.#resize(old.n + 1);
    const n = this.#size;
    const moved = (index: number) => index < slot ? index : index + 1;
    for (let i = 0; i < old.n; i++) {
      this.#mean[moved(i)] = old.mean[i] ?? 0;
      for (let j = 0; j <= i; j++) {
        this.#root[moved(j) * n + moved(i)] = old.root[j * old.n + i] ?? 0;
      }
    }
    this.#slots++;
  }

  /** Takes the row of a bias out; its column goes into those after it as if it were noise. */
  #shrink(slot: number): void {
    const old = { n: this.#size, mean: this.#mean, root: this.#root };
    const column = old.root.slice(slot * old.n + slot + 1, (slot + 1) * old.n);
    this.#resize(old.n - 1);
    const n = this.#size;
    const moved = (index: number) => index < slot ? index : index - 1;
    for (let i = 0; i < old.n; i++) {
      if (i === slot) continue;
      this.#mean[moved(i)] = old.mean[i] ?? 0;
      for (let j = 0; j <= i; j++) {
        if (j !== slot) this.#root[moved(j) * n + moved(i)] = old.root[j * old.n + i] ?? 0;
      }
    }
    this.#slots--;
    this.#gain.set(column, slot);
    this.#rotateIn(slot);
  }

  #resize(size: number): void {
    assert(size >= 2, "Frequency and offset are always estimated");
    this.#size = size;
    this.#mean = new Float64Array(size);
    this.#root = new Float64Array(size * size);
    this.#f = new Float64Array(size);
    this.#sums = new Float64Array(size + 1);
    this.#gain = new Float64Array(size);
  }
}
