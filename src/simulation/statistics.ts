/**
 * How well the clock was kept in one run: the figures of `ntpsd simulate --json`.
 *
 * @module
 */
import type { Ppm, Seconds } from "../base/units.ts";
import type { Action } from "../engine/events.ts";
import type { EngineSnapshot } from "../engine/status/snapshot.ts";
import type { ClockTruth, Observer } from "./observer.ts";

/** The figures of one run; the names are those of the JSON document. */
export interface RunFigures {
  /**
   * Root mean square of the clock's error over the measured part; null when the run ended before
   * it, as is the case for the next two.
   */
  readonly rmsErrorSeconds: Seconds | null;
  /** The greatest error over the measured part. */
  readonly maxErrorSeconds: Seconds | null;
  /** Root mean square of the error of the clock's rate, slews included. */
  readonly rmsFrequencyErrorPpm: Ppm | null;
  /** When the error began to stay below 1 ms for 100 s, or to the end; null if never. */
  readonly timeTo1msSeconds: Seconds | null;
  /** When the error began to stay below 100 us; null if never. */
  readonly timeTo100usSeconds: Seconds | null;
  /** How often the clock was stepped. */
  readonly steps: number;
  /** Requests that left the machine in the whole run, to all servers. */
  readonly requestsSent: number;
  /**
   * The part of the looks in which the true error was inside the stated bound; null when none was
   * stated.
   */
  readonly boundCoverage: number | null;
  /** The median of the stated bound; null when none was stated. */
  readonly medianBoundSeconds: Seconds | null;
}

/** How long the error must stay below a bound to count as held. */
const HOLD: Seconds = 100;

/** Collects the figures of one run. */
export class RunStatistics implements Observer {
  readonly #measureFrom: Seconds;
  readonly #below1ms = new HoldTimer(1e-3);
  readonly #below100us = new HoldTimer(100e-6);
  readonly #bounds: Seconds[] = [];
  #count = 0;
  #sumSquares = 0;
  #maximum = 0;
  #rateSquares = 0;
  #steps = 0;
  #requests = 0;
  #insideBound = 0;

  /** Counts errors from `measureFrom` on. */
  constructor(measureFrom: Seconds) {
    this.#measureFrom = measureFrom;
  }

  sample(time: Seconds, clock: ClockTruth): void {
    const error = Math.abs(clock.error);
    this.#below1ms.look(time, error);
    this.#below100us.look(time, error);
    if (time < this.#measureFrom) return;
    this.#count++;
    this.#sumSquares += error * error;
    this.#rateSquares += clock.rateError * clock.rateError;
    if (error > this.#maximum) this.#maximum = error;
  }

  snapshot(
    time: Seconds,
    { snapshot, clock }: { snapshot: EngineSnapshot; clock: ClockTruth },
  ): void {
    const bound = snapshot.errorBoundSeconds;
    if (time < this.#measureFrom || bound === null) return;
    this.#bounds.push(bound);
    if (Math.abs(clock.error) <= bound) this.#insideBound++;
  }

  action(_time: Seconds, action: Action): void {
    if (action.type === "send") this.#requests++;
    if (action.type === "set-clock" && action.step !== 0) this.#steps++;
  }

  happened(): void {}

  /** The figures so far. */
  figures(): RunFigures {
    const looks = this.#bounds.length;
    const measured = (value: number): number | null => this.#count === 0 ? null : value;
    return {
      rmsErrorSeconds: measured(Math.sqrt(this.#sumSquares / this.#count)),
      maxErrorSeconds: measured(this.#maximum),
      rmsFrequencyErrorPpm: measured(Math.sqrt(this.#rateSquares / this.#count) * 1e6),
      timeTo1msSeconds: this.#below1ms.heldFrom,
      timeTo100usSeconds: this.#below100us.heldFrom,
      steps: this.#steps,
      requestsSent: this.#requests,
      boundCoverage: looks === 0 ? null : this.#insideBound / looks,
      medianBoundSeconds: looks === 0 ? null : median(this.#bounds),
    };
  }
}

/**
 * Returns the figures whose every value is the median over the runs; a time that was never reached,
 * and an error that was never measured, counts as the worst.
 */
export function medianFigures(runs: readonly RunFigures[]): RunFigures {
  const of = (key: keyof RunFigures): number => median(runs.map((run) => run[key] ?? Infinity));
  const orNull = (value: number): number | null => Number.isFinite(value) ? value : null;
  return {
    rmsErrorSeconds: orNull(of("rmsErrorSeconds")),
    maxErrorSeconds: orNull(of("maxErrorSeconds")),
    rmsFrequencyErrorPpm: orNull(of("rmsFrequencyErrorPpm")),
    timeTo1msSeconds: orNull(of("timeTo1msSeconds")),
    timeTo100usSeconds: orNull(of("timeTo100usSeconds")),
    steps: of("steps"),
    requestsSent: of("requestsSent"),
    boundCoverage: orNull(of("boundCoverage")),
    medianBoundSeconds: orNull(of("medianBoundSeconds")),
  };
}

/** Returns the middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return lower === upper ? upper : (lower + upper) / 2;
}

/** Finds the first moment from which a value stays below a bound. */
class HoldTimer {
  readonly #bound: number;
  #since: number | undefined;
  #isHeld = false;

  constructor(bound: number) {
    this.#bound = bound;
  }

  look(time: Seconds, value: number): void {
    if (this.#isHeld) return;
    if (value >= this.#bound) this.#since = undefined;
    else if (this.#since === undefined) this.#since = time;
    else if (time - this.#since >= HOLD) this.#isHeld = true;
  }

  get heldFrom(): number | null {
    return this.#since ?? null;
  }
}
