/**
 * What is kept of one source: its last samples on the free-running clock, and the model of its
 * path's delay.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import { DelayModel } from "./delay_model.ts";
import type { Observation } from "./mixture.ts";
import type { Route } from "./routes.ts";

/** How many samples a source keeps. */
export const SAMPLES_MAX = 64;

/** One measurement, without the corrections of ntpsd. */
export interface Sample {
  /** When it was taken, on the free-running clock. */
  readonly time: Seconds;
  /** The server's time minus the free-running clock. */
  offset: Seconds;
  /** Of the round trip without the server's part, on the free-running clock. */
  readonly delay: Seconds;
  /** The route that the packets took; found out a little later when it is a longer one. */
  route: Route;
  /** Its offset minus the joint estimate of then; undefined for an outlier or outside of that. */
  beside: Seconds | undefined;
}

/** The samples of one source and the model of its path. */
export class SourceTrack {
  /** The newest last, at most `SAMPLES_MAX`. */
  readonly samples: Sample[] = [];
  /** Updated with the delays of all samples, forgotten ones included. */
  readonly delays: DelayModel;
  /**
   * What the server follows; sources with the same reference share part of their bias. 0 for none
   * that is known.
   */
  reference = 0;
  /**
   * How fast the variance of the server's time is seen to grow beside that of others, square
   * seconds in a second.
   */
  serverWander = 0;
  /** The square of what it stands apart from the other sources beyond what is expected of it. */
  apartVariance = 0;
  #asymmetryVariance = 0;
  #serverVariance = 0;

  /** `noise` is the standard deviation that timestamps alone give an offset. */
  constructor(noise: Seconds) {
    this.delays = new DelayModel(noise);
  }

  /** Adds a sample; the caller updates the filters with it afterwards. */
  add(time: Seconds, offset: Seconds, delay: Seconds): Sample {
    const change = this.delays.add(delay);
    const route = present(this.delays.route, "A path that was measured has a route");
    const sample: Sample = { time, offset, delay, route, beside: undefined };
    this.samples.push(sample);
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    for (const each of this.samples.slice(-change.samples)) each.route = route;
    // the bias belongs to the shortest route; a longer one adds to it
    if (change.kind === "shorter") this.#setAsymmetry();
    return sample;
  }

  /** What a sample says of the offset, given all that is now known of the path. */
  observation(sample: Sample): Observation {
    return {
      interval: this.delays.interval(sample),
      spread: this.delays.meanWait,
      noiseVariance: this.delays.noiseVariance,
      queueProbability: this.delays.queueProbability,
    };
  }

  /** The variance of a sample's offset, whatever disturbs it. */
  varianceOf(sample: Sample): number {
    const { interval, noiseVariance, queueProbability } = this.observation(sample);
    const { low, high, softness } = interval;
    const queueVariance = (high - low) ** 2 / 12 + softness ** 2;
    return queueProbability * queueVariance + (1 - queueProbability) * noiseVariance;
  }

  /**
   * The expected square of what the path's asymmetry and the server's own error add to every
   * offset.
   */
  get biasVariance(): number {
    return this.#asymmetryVariance + this.#serverVariance;
  }

  /** The square of what the server may have wandered by while the kept samples were taken. */
  get wanderedVariance(): number {
    const first = this.samples[0], last = this.samples.at(-1);
    return first === undefined || last === undefined
      ? 0
      : this.serverWander * (last.time - first.time);
  }

  /** The expected square of the server's own error. */
  get serverVariance(): number {
    return this.#serverVariance;
  }

  /** How fast the variance of a bias grows with any source, square seconds in a second. */
  get biasWander(): number {
    return BIAS_WANDER_PER_HOUR * BIAS_WANDER_PER_HOUR * this.biasVariance / 3600;
  }

  /**
   * Sets the expected bias with the first sample, and reduces it when the server's root dispersion
   * has shrunk much.
   */
  setBias(serverDispersion: Seconds): void {
    const server = SERVER_FRACTION * serverDispersion;
    const serverVariance = server * server + BIAS_MIN * BIAS_MIN;
    if (this.samples.length <= 1) {
      this.#setAsymmetry();
    } else if (!isMuchLess(serverVariance, this.#serverVariance)) {
      return;
    }
    this.#serverVariance = serverVariance;
  }

  /**
   * The expected square of what a route's bias differs by from that of another one: the difference
   * of the floors may have gone into either direction.
   */
  detourVariance(route: Route, from: Route): number {
    if (route === from) return 0;
    const detour = this.delays.floorOf(route) - this.delays.floorOf(from);
    return detour * detour / 12;
  }

  /** Moves all samples, when the clock itself was stepped. */
  shift(by: Seconds): void {
    for (const sample of this.samples) sample.offset += by;
  }

  /** Moves what its samples showed beside the joint estimate, when that was moved. */
  shiftBeside(by: Seconds): void {
    for (const sample of this.samples) if (sample.beside !== undefined) sample.beside += by;
  }

  /** Forgets what its samples showed beside a joint estimate that is made anew. */
  forgetBeside(): void {
    for (const sample of this.samples) sample.beside = undefined;
  }

  /** Forgets all samples but the newest `count`. */
  keepNewest(count: number): void {
    this.samples.splice(0, Math.max(0, this.samples.length - count));
  }

  /** Forgets the samples, after a change of the clock from outside, but not the path. */
  forget(): void {
    this.samples.length = 0;
  }

  #setAsymmetry(): void {
    const floor = this.delays.floorOf(this.delays.shortestRoute);
    const asymmetry = ASYMMETRY_FRACTION * Math.max(0, floor);
    this.#asymmetryVariance = asymmetry * asymmetry;
  }
}

/**
 * A path's two directions commonly differ by this part of its delay, taken as one standard
 * deviation of the bias.
 */
const ASYMMETRY_FRACTION = 0.05;
/** A server is commonly off by this part of its root dispersion. */
const SERVER_FRACTION = 0.25;
const BIAS_MIN: Seconds = 1e-8;
/** A path's bias wanders by this part of its expected size in an hour. */
const BIAS_WANDER_PER_HOUR = 0.05;
/** The filter is rebuilt when the variance of a bias has shrunk to less than this part. */
const MUCH_LESS = 0.25;

/** Tells whether the variance of a bias has shrunk so much that the filter must be rebuilt. */
export function isMuchLess(variance: number, before: number): boolean {
  return variance < MUCH_LESS * before;
}
