/**
 * The two clocks of a machine in a simulated world: the boot-time clock and the real-time clock,
 * over one oscillator.
 *
 * Only the test moves time. The rate and the steps that the engine wants act at once and exactly.
 *
 * @module
 */
import type { Instant } from "../../src/base/instant.ts";
import { addSeconds, type NtpTimestamp } from "../../src/base/ntp_timestamp.ts";
import type { ClockReading } from "../../src/engine/events.ts";

/** The clocks of one machine. */
export class TestClock {
  /** True time since the start, in seconds. */
  time = 0;
  /** The boot-time clock, in seconds. */
  monotonic = 1000;
  /** What the oscillator gains, a fraction. */
  drift: number;
  readonly #start: NtpTimestamp;
  #ahead: number;
  #rate = 0;

  /**
   * Sets the clocks: `start` is the true time, and the real-time clock is `offset` seconds behind
   * it.
   */
  constructor(
    options: { readonly start: NtpTimestamp; readonly offset?: number; readonly drift?: number },
  ) {
    this.#start = options.start;
    this.#ahead = -this.monotonic - (options.offset ?? 0);
    this.drift = options.drift ?? 0;
  }

  /** The moment, as the clocks tell it. */
  get now(): Instant {
    const realtime = addSeconds(this.#start, this.monotonic + this.#ahead);
    return { monotonic: this.monotonic, realtime };
  }

  /** The true time that is `after` seconds from now. */
  trueTime(after = 0): NtpTimestamp {
    return addSeconds(this.#start, this.time + after);
  }

  /** True time minus the real-time clock, in seconds. */
  get offset(): number {
    return this.time - this.monotonic - this.#ahead;
  }

  /** How many seconds of the clocks one true second has. */
  get speed(): number {
    return (1 + this.drift) * (1 + this.#rate);
  }

  /** Lets true time pass until it is exactly so late; not back. */
  passTo(time: number): void {
    if (!(time > this.time)) return;
    this.monotonic += (time - this.time) * this.speed;
    this.time = time;
  }

  /** Puts both clocks forward by what the battery-backed clock says after a sleep. */
  sleep(seconds: number): void {
    this.time += seconds;
    this.monotonic += seconds;
  }

  /** Lets true time pass that neither clock notices. */
  standStill(seconds: number): void {
    this.time += seconds;
  }

  /** Steps the real-time clock. */
  step(seconds: number): void {
    this.#ahead += seconds;
  }

  /** Does a command to the clock: `frequency` in parts per million, `step` in seconds. */
  set({ frequency, step }: ClockReading): ClockReading {
    this.#rate = frequency * 1e-6;
    this.step(step);
    return { frequency, step };
  }
}
