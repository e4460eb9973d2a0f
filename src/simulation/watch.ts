/**
 * Shows a simulated world to its observer: the clock once a simulated second, in its middle, and
 * the engine at moments of a schedule and after commands to the clock.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { DrivenEngine } from "./engine_factory.ts";
import type { SimulatedKernelClock } from "./kernel_clock.ts";
import type { LeapSeconds } from "./leap_seconds.ts";
import type { ClockTruth, Observer } from "./observer.ts";
import { SnapshotSchedule } from "./snapshot_schedule.ts";

/** What is shown, and to whom. */
export interface WatchOptions {
  /** The clock of the machine. */
  readonly clock: SimulatedKernelClock;
  /** What leap seconds do to true time. */
  readonly leaps: LeapSeconds;
  /** Is told. */
  readonly observer: Observer;
  /** How long the run lasts. */
  readonly duration: Seconds;
}

/** The watch over one run; all times are seconds since its start. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #snapshots: SnapshotSchedule;
  #nextSample: Seconds = 0.5;

  /** Starts with the first half second. */
  constructor(options: WatchOptions) {
    this.#options = options;
    this.#snapshots = new SnapshotSchedule(options.duration);
  }

  /** Returns the next moment at which the clock is shown, if that is not after `time`. */
  takeSampleTime(time: Seconds): Seconds | undefined {
    return this.#nextSample <= time ? this.#nextSample++ : undefined;
  }

  /** Shows the clock at `time`, which is now, and the engine if that is due. */
  sample(time: Seconds, engine: DrivenEngine): void {
    this.#options.observer.sample(time, this.#truth(time));
    if (this.#snapshots.takeDue(time)) this.showEngine(time, engine);
  }

  /** Shows the engine after a command to the clock, unless it was shown not long ago. */
  afterCommand(time: Seconds, engine: DrivenEngine): void {
    if (this.#snapshots.isDueAfterCommand(time)) this.showEngine(time, engine);
  }

  /** Shows what the engine says of itself now. */
  showEngine(time: Seconds, engine: DrivenEngine): void {
    const { clock, observer } = this.#options;
    const snapshot = engine.snapshot(clock.now);
    observer.snapshot(time, { snapshot, clock: this.#truth(time) });
  }

  #truth(time: Seconds): ClockTruth {
    const { clock, leaps } = this.#options;
    return {
      error: clock.error - leaps.shiftAt(time),
      rateError: clock.rateError,
      oscillatorFrequency: clock.oscillatorFrequency,
      correction: clock.correction,
      kernelSynchronized: clock.status.synchronized,
    };
  }
}
