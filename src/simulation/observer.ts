/**
 * What observes a run of the simulation: statistics, timeline, checker and trace are observers.
 *
 * @module
 */
import type { Ppm, Seconds } from "../base/units.ts";
import type { Action } from "../engine/events.ts";
import type { EngineSnapshot } from "../engine/status/snapshot.ts";
import type { ScenarioEvent } from "./scenario/event.ts";

/** What watches a run; all times are seconds since the start. */
export interface Observer {
  /** Is told the state of the clock once a second. */
  sample(time: Seconds, clock: ClockTruth): void;
  /**
   * Is told what the engine says of itself, every ten seconds or more, and after changes of the
   * clock.
   */
  snapshot(time: Seconds, observed: { snapshot: EngineSnapshot; clock: ClockTruth }): void;
  /** Is told each action. */
  action(time: Seconds, action: Action): void;
  /** Is told when an event of the scenario happens. */
  happened(time: Seconds, event: ScenarioEvent): void;
}

/** What is true of the simulated clock, which no daemon can know. */
export interface ClockTruth {
  /** What the clock shows more than true time. */
  readonly error: Seconds;
  /** What the clock gains a second now, slews included. */
  readonly rateError: number;
  /** What the oscillator gains without corrections. */
  readonly oscillatorFrequency: Ppm;
  /** The correction that the kernel applies. */
  readonly correction: Ppm;
  /** Whether the kernel calls its clock synchronised. */
  readonly kernelSynchronized: boolean;
}

/** Several observers as one. */
export class Observers implements Observer {
  readonly #observers: readonly Observer[];

  /** Tells each of them, in this order. */
  constructor(observers: readonly Observer[]) {
    this.#observers = observers;
  }

  sample(time: Seconds, clock: ClockTruth): void {
    for (const observer of this.#observers) observer.sample(time, clock);
  }

  snapshot(time: Seconds, observed: { snapshot: EngineSnapshot; clock: ClockTruth }): void {
    for (const observer of this.#observers) observer.snapshot(time, observed);
  }

  action(time: Seconds, action: Action): void {
    for (const observer of this.#observers) observer.action(time, action);
  }

  happened(time: Seconds, event: ScenarioEvent): void {
    for (const observer of this.#observers) observer.happened(time, event);
  }
}
