/**
 * Shows the reference estimator what the engine sees, and judges both by the same seconds.
 *
 * The problem: the engine steers the clock that its samples are measured with; another estimator
 * needs the same samples without that. The idea: what the clock is told is known exactly, so the
 * bare oscillator can be reckoned back: it gained what the clock gained, divided by the correction
 * that was in force, less the steps. On this scale every sample of the engine is a sample of the
 * reference. Once a second both errors are taken: that of the clock, and that which a clock that is
 * always set to the reference's estimate would have. Limits: basic mode; a clock that other
 * programs adjust in frequency is not understood.
 *
 * @module
 */
import { difference, type NtpTimestamp, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import type { Seconds } from "../../src/base/units.ts";
import type { Event, EventOf, Instant } from "../../src/engine/events.ts";
import type { EngineSnapshot } from "../../src/engine/status/snapshot.ts";
import {
  createSimulatedEngine,
  type DrivenEngine,
  type EngineSeed,
} from "../../src/simulation/engine_factory.ts";
import type { ClockTruth, Observer } from "../../src/simulation/observer.ts";
import type { ScenarioEvent } from "../../src/simulation/scenario/event.ts";
import type { Scenario } from "../../src/simulation/scenario/scenario.ts";
import { PlainEstimator } from "./reference.ts";

/** What a clock's errors came to. */
export interface ErrorFigures {
  readonly rms: Seconds;
  readonly max: Seconds;
  /** Root mean square of the error of the rate, slews included. */
  readonly rate: number;
}

/** How the stated bound was kept. */
export interface BoundFigures {
  /** Looks at which a bound was stated. */
  readonly looks: number;
  /** Looks at which the error was beyond it. */
  readonly violations: number;
  /** The greatest error as a multiple of the bound. */
  readonly worst: number;
}

/** A sample that a step of the clock may have spoilt. */
const STEP_SHADOW: Seconds = 5;

/** Watches one run. */
export class Onlooker implements Observer {
  readonly #measureFrom: Seconds;
  readonly #estimator = new PlainEstimator();
  readonly #own = new ErrorSum();
  readonly #reference = new ErrorSum();
  readonly #bound = { looks: 0, violations: 0, worst: 0 };
  /** The boot-time clock at the start. */
  #origin: number | undefined;
  /** The bare oscillator, and the steered clock without steps, both since the start. */
  #raw = 0;
  #steered = 0;
  #multiplier = 1;
  /** What the clock shows more than the steered time since the start: its offset, and steps. */
  #shift: Seconds;
  #lastStep = -Infinity;

  /** Judges from the scenario's `measure-from` on. */
  constructor(scenario: Scenario) {
    this.#measureFrom = scenario.measureFrom;
    this.#shift = scenario.machine.offset;
  }

  /** The engine as it is, watched. */
  readonly createEngine = (seed: EngineSeed): DrivenEngine => {
    this.#origin ??= seed.now.monotonic;
    const engine = createSimulatedEngine(seed);
    return {
      handle: (event, now) => {
        this.#event(event, now);
        return engine.handle(event, now);
      },
      nextWakeup: () => engine.nextWakeup(),
      snapshot: (now) => engine.snapshot(now),
    };
  };

  /** How well the clock was kept. */
  get own(): ErrorFigures {
    return this.#own.figures();
  }

  /** How well the reference would have kept it. */
  get reference(): ErrorFigures {
    return this.#reference.figures();
  }

  /** How the stated bound was kept. */
  get bound(): BoundFigures {
    return { ...this.#bound };
  }

  sample(time: Seconds, clock: ClockTruth): void {
    this.#advance(time + clock.error - this.#shift);
    if (time < this.#measureFrom) return;
    this.#own.add(clock.error, clock.rateError);
    const { slope } = this.#estimator;
    const offset = this.#estimator.offsetAt(this.#raw);
    if (offset === undefined) return;
    const rateError = (1 + clock.oscillatorFrequency * 1e-6) * (1 + slope) - 1;
    this.#reference.add(this.#raw + offset - time, rateError);
  }

  snapshot(time: Seconds, observed: { snapshot: EngineSnapshot; clock: ClockTruth }): void {
    const stated = observed.snapshot.errorBoundSeconds;
    if (time < this.#measureFrom || stated === null) return;
    const ratio = Math.abs(observed.clock.error) / stated;
    this.#bound.looks++;
    if (ratio > 1) this.#bound.violations++;
    this.#bound.worst = Math.max(this.#bound.worst, ratio);
  }

  action(): void {}

  happened(_time: Seconds, event: ScenarioEvent): void {
    if (event.kind === "clock-step") this.#stepped(event.step);
  }

  #event(event: Event, now: Instant): void {
    const steered = now.monotonic - (this.#origin ?? 0);
    if (event.type === "resumed") {
      // The oscillator was not counted meanwhile.
      this.#raw += event.asleep;
      this.#steered += event.asleep;
      this.#estimator.forget();
    }
    this.#advance(steered);
    if (event.type === "clock-set" && event.result.ok) {
      this.#multiplier = 1 + event.result.value.frequency * 1e-6;
      if (event.result.value.step !== 0) this.#stepped(event.result.value.step);
    }
    if (event.type === "datagram") this.#datagram(event);
  }

  #stepped(step: Seconds): void {
    this.#shift += step;
    this.#lastStep = this.#steered;
  }

  #advance(steered: number): void {
    this.#raw += (steered - this.#steered) / this.#multiplier;
    this.#steered = steered;
  }

  #datagram(event: EventOf<"datagram">): void {
    const { packet } = event;
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const stratum = packet[1] ?? 0, leap = (packet[0] ?? 0) >> 6;
    if (stratum === 0 || stratum > 15 || leap === 3) return;
    if (this.#steered - this.#lastStep < STEP_SHADOW) return;
    const at = (position: number): NtpTimestamp => ntpTimestamp(view.getBigUint64(position));
    const out = difference(at(32), event.transmitTimestamp);
    const back = difference(at(40), event.receiveTimestamp);
    const utc = this.#steered + this.#shift + (out + back) / 2;
    this.#estimator.take(String(event.association), { raw: this.#raw, offset: utc - this.#raw });
  }
}

/** Sums errors up. */
class ErrorSum {
  #count = 0;
  #squares = 0;
  #max = 0;
  #rateSquares = 0;

  add(error: Seconds, rate: number): void {
    this.#count++;
    this.#rateSquares += rate * rate;
    this.#squares += error * error;
    this.#max = Math.max(this.#max, Math.abs(error));
  }

  figures(): ErrorFigures {
    const rms = (squares: number): number => Math.sqrt(squares / Math.max(1, this.#count));
    return { rms: rms(this.#squares), max: this.#max, rate: rms(this.#rateSquares) };
  }
}
