/**
 * A normal distribution of several quantities, kept as its mean and the triangular root L of its
 * covariance (covariance = L Lᵀ).
 *
 * Every variance is a sum of squares, whatever the input, and quantities of very different size
 * cost no digits that matter. An update multiplies the root by the root of I + c f fᵀ with f = Lᵀh
 * (Carlson's form), noise is added by rotations (Bierman, Factorization Methods for Discrete
 * Sequential Estimation, 1977).
 *
 * Limits: mean, root and row are open to the owner, which must keep the root triangular.
 *
 * @module
 */
import { assert } from "../base/assert.ts";

/** What an observation makes of the belief. */
export interface Observed {
  /** The variance of what is observed, before: the sum of the squares of `row`. */
  readonly variance: number;
  /** The mean of what is observed moves by its variance times this. */
  readonly slope: number;
  /** Its variance afterwards as a part of that before; more than 1 takes information away. */
  readonly remaining: number;
}

/** The mean and the root of the covariance. */
export class NormalState {
  #size: number;
  #mean: Float64Array<ArrayBuffer>;
  #root: Float64Array<ArrayBuffer>;
  /** For the time of one call: Lᵀh, the sums of its squares, L Lᵀh. */
  #row: Float64Array<ArrayBuffer>;
  #sums: Float64Array<ArrayBuffer>;
  #gain: Float64Array<ArrayBuffer>;

  /** Starts with zeros: all is known exactly. */
  constructor(size: number) {
    this.#size = size;
    this.#mean = new Float64Array(size);
    this.#root = new Float64Array(size * size);
    this.#row = new Float64Array(size);
    this.#sums = new Float64Array(size + 1);
    this.#gain = new Float64Array(size);
  }

  /** The number of quantities. */
  get size(): number {
    return this.#size;
  }

  /** The mean of each. */
  get mean(): Float64Array {
    return this.#mean;
  }

  /** Column by column; what lies above the diagonal is not used. */
  get root(): Float64Array {
    return this.#root;
  }

  /** Where the owner puts Lᵀh before `observe`, for what is observed is hᵀx. */
  get row(): Float64Array {
    return this.#row;
  }

  /** The covariance of two quantities. */
  covariance(a: number, b: number): number {
    const n = this.#size;
    const last = Math.min(a, b);
    let sum = 0;
    for (let j = 0; j <= last; j++) {
      sum += (this.#root[j * n + a] ?? 0) * (this.#root[j * n + b] ?? 0);
    }
    return sum;
  }

  /** Takes over the belief of another state of the same size. */
  adopt(other: NormalState): void {
    assert(this.#size === other.#size, "A state adopts from one of the same size");
    this.#mean.set(other.#mean);
    this.#root.set(other.#root);
  }

  /** Updates the belief with an observation, of which `row` holds Lᵀh. */
  observe({ variance, slope, remaining }: Observed): void {
    const n = this.#size;
    const f = this.#row, gain = this.#gain, root = this.#root, x = this.#mean;
    const c = (remaining - 1) / variance;
    const sums = this.#sumSquares(c, remaining);
    for (let j = n - 1; j >= 0; j--) {
      const before = sums[j] ?? 1, after = sums[j + 1] ?? 1, term = f[j] ?? 0;
      const diagonal = Math.sqrt(after / before);
      const side = c * term / Math.sqrt(after * before);
      gain[j] = 0;
      for (let i = j; i < n; i++) {
        const entry = root[j * n + i] ?? 0, sum = gain[i] ?? 0;
        root[j * n + i] = entry * diagonal + side * sum;
        gain[i] = sum + entry * term;
      }
    }
    for (let i = 0; i < n; i++) x[i] = (x[i] ?? 0) + (gain[i] ?? 0) * slope;
  }

  /** Adds noise to one quantity: of this standard deviation. */
  addNoise(slot: number, deviation: number): void {
    this.#clearGain(slot);
    this.#gain[slot] = deviation;
    this.#rotateIn(slot);
  }

  /** Adds one noise to a quantity and to the next: the square of the vector with these entries. */
  addCommonNoise(slot: number, noise: { readonly own: number; readonly next: number }): void {
    this.#clearGain(slot);
    this.#gain[slot] = noise.own;
    this.#gain[slot + 1] = noise.next;
    this.#rotateIn(slot);
  }

  /** Makes room for a quantity at `slot`, which is 0 at first; those from there on move up. */
  insert(slot: number): void {
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
  }

  /**
   * Takes a quantity out, and leaves what is believed of the others: its column goes into those
   * after it as if it were noise.
   */
  remove(slot: number): void {
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
    this.#gain.set(column, slot);
    this.#rotateIn(slot);
  }

  /**
   * Sums of 1 + c f₀² + ... + c f², up to `remaining` for all, added from the end at which no
   * digits are lost.
   */
  #sumSquares(c: number, remaining: number): Float64Array {
    const n = this.#size;
    const f = this.#row, sums = this.#sums;
    sums[0] = 1;
    sums[n] = remaining;
    if (c > 0) {
      for (let j = 0; j < n; j++) sums[j + 1] = (sums[j] ?? 1) + c * (f[j] ?? 0) * (f[j] ?? 0);
    } else {
      for (let j = n - 1; j > 0; j--) sums[j] = (sums[j + 1] ?? 1) - c * (f[j] ?? 0) * (f[j] ?? 0);
    }
    return sums;
  }

  #clearGain(first: number): void {
    for (let i = first; i < this.#size; i++) this.#gain[i] = 0;
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

  #resize(size: number): void {
    assert(size >= 1, "A state has quantities");
    this.#size = size;
    this.#mean = new Float64Array(size);
    this.#root = new Float64Array(size * size);
    this.#row = new Float64Array(size);
    this.#sums = new Float64Array(size + 1);
    this.#gain = new Float64Array(size);
  }
}
