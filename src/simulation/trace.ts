/**
 * The course of a run for a plot: the clock's error and frequency in a bounded number of points.
 *
 * The idea: each point stands for a slice of time and keeps the least and the greatest error in it,
 * so that a spike of a second is seen in a plot of a week.
 *
 * @module
 */
import type { Ppm, Seconds } from "../base/units.ts";
import type { EngineSnapshot } from "../engine/status/snapshot.ts";
import type { ClockTruth, Observer } from "./observer.ts";

/** One slice of time. */
export interface TracePoint {
  /** The end of the slice. */
  readonly time: Seconds;
  /** The least error in it. */
  readonly errorMin: Seconds;
  /** The greatest error in it. */
  readonly errorMax: Seconds;
  /** What the oscillator would need to be right: the truth. */
  readonly oscillatorFrequency: Ppm;
  /** What ntpsd takes the needed correction to be, with the sign of the oscillator's error. */
  readonly estimatedFrequency: Ppm | undefined;
  /** The bound that ntpsd states; undefined when it states none. */
  readonly bound: Seconds | undefined;
}

const POINTS_MAX = 2000;

/** Collects the points of one run. */
export class Trace implements Observer {
  readonly #slice: Seconds;
  readonly #points: TracePoint[] = [];
  #end = 0;
  #minimum = Infinity;
  #maximum = -Infinity;
  #estimate: Ppm | undefined;
  #bound: Seconds | undefined;

  /** Divides `duration` into slices of at least a second. */
  constructor(duration: Seconds) {
    this.#slice = Math.max(1, duration / POINTS_MAX);
    this.#end = this.#slice;
  }

  /** The points so far; slices in which the machine slept are missing. */
  get points(): readonly TracePoint[] {
    return this.#points;
  }

  sample(time: Seconds, clock: ClockTruth): void {
    this.#minimum = Math.min(this.#minimum, clock.error);
    this.#maximum = Math.max(this.#maximum, clock.error);
    if (time < this.#end) return;
    this.#points.push({
      time,
      errorMin: this.#minimum,
      errorMax: this.#maximum,
      oscillatorFrequency: clock.oscillatorFrequency,
      estimatedFrequency: this.#estimate,
      bound: this.#bound,
    });
    this.#minimum = Infinity;
    this.#maximum = -Infinity;
    this.#end = Math.max(this.#end, time) + this.#slice;
  }

  snapshot(_time: Seconds, { snapshot }: { snapshot: EngineSnapshot }): void {
    this.#estimate = -snapshot.frequencyPpm;
    this.#bound = snapshot.errorBoundSeconds ?? undefined;
  }

  action(): void {}

  happened(): void {}
}
