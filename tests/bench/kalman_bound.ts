/**
 * How well the clock could be known in a scenario by a filter that is told what a real daemon must
 * guess.
 *
 * The idea: a two-state Kalman filter (offset, frequency) that knows the true wander W and takes
 * for the variance of each sample what its own excess delay e says: with exponential queueing the
 * error is uniform on +-e/2, so e^2/12, plus a small floor. What it does not know at each second is
 * the error. Several servers are several samples at each poll.
 *
 * @module
 */
import { Draws } from "../../src/simulation/draws.ts";

/** What the filter is told, and how long it runs. */
export interface BoundInput {
  /** Draws the queueing delay in one direction. */
  readonly queue: (draws: Draws) => number;
  /** The random step of the frequency each second, as a ratio. */
  readonly wander: number;
  readonly pollSeconds: number;
  readonly servers: number;
  readonly durationSeconds: number;
  readonly measureFromSeconds: number;
  /** The variance of a sample whose round trip was longer than the floor by `excess`. */
  readonly variance: (excess: number) => number;
}

/** Returns the RMS error of the filter's offset, looked at once a second. */
export function kalmanRms(input: BoundInput, seed: number): number {
  const draws = Draws.stream(seed, "kalman");
  const { wander: w, pollSeconds: n } = input;
  // What n random steps, one a second, add to the uncertainty.
  const noise = {
    offset: w * w * (n - 1) * n * (2 * n - 1) / 6,
    cross: w * w * n * (n - 1) / 2,
    frequency: w * w * n,
  };
  let offset = 0.1, frequency = 50e-6;
  const filter = new TwoStateFilter();
  let sum = 0, count = 0;
  for (let second = 0; second < input.durationSeconds; second++) {
    if (second % n === 0) {
      if (second > 0) filter.predict(n, noise);
      for (let server = 0; server < input.servers; server++) {
        const out = input.queue(draws), back = input.queue(draws);
        filter.update(offset + (out - back) / 2, input.variance(out + back));
      }
    }
    if (second >= input.measureFromSeconds) {
      const error = filter.offset + filter.frequency * (second % n) - offset;
      sum += error * error;
      count++;
    }
    offset += frequency;
    frequency += w * draws.normal();
  }
  return Math.sqrt(sum / count);
}

class TwoStateFilter {
  offset = 0;
  frequency = 0;
  #p00 = 1;
  #p01 = 0;
  #p11 = 1e-8;

  predict(time: number, noise: { offset: number; cross: number; frequency: number }): void {
    this.offset += this.frequency * time;
    this.#p00 += 2 * time * this.#p01 + time * time * this.#p11 + noise.offset;
    this.#p01 += time * this.#p11 + noise.cross;
    this.#p11 += noise.frequency;
  }

  update(measured: number, variance: number): void {
    const innovation = measured - this.offset;
    const total = this.#p00 + variance;
    const k0 = this.#p00 / total, k1 = this.#p01 / total;
    this.offset += k0 * innovation;
    this.frequency += k1 * innovation;
    this.#p11 -= k1 * this.#p01;
    this.#p01 -= k0 * this.#p01;
    this.#p00 -= k0 * this.#p00;
  }
}
