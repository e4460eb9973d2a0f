/**
 * A simulated kernel clock: an oscillator, and what adjtimex makes of it.
 *
 * The problem: the clock must be good to a nanosecond over a simulated month, and a double that
 * holds an absolute time is not. The idea: only the error against the even time scale (start +
 * seconds since the start) is kept as a double; the even scale is an exact timestamp, and a reading
 * is their sum. The rate is
 *
 *     (1 + oscillator) (tick / 10000 + frequency)
 *
 * with the frequency clamped to 500 ppm and the tick to 9000..11000, as in Linux. SETOFFSET steps
 * the real-time clock at once; maxerror grows 500 us a second and raises STA_UNSYNC at 16 s; an
 * armed leap second steps the clock by a second at its own midnight. Limits: the kernel's own
 * phase-locked loop is not simulated, as ntpsd keeps it off.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { floorDivide } from "../base/floor_divide.ts";
import type { Instant } from "../base/instant.ts";
import { fromNanoseconds, toNanoseconds } from "../base/nanoseconds.ts";
import {
  addSeconds,
  fromUnixNanoseconds,
  type NtpTimestamp,
  TWO_POW_32,
  type UnixNanoseconds,
} from "../base/ntp_timestamp.ts";
import {
  type MonotonicSeconds,
  NANOSECONDS_PER_DAY,
  PPM,
  type Ppm,
  type Seconds,
  SECONDS_PER_DAY,
} from "../base/units.ts";
import { CompensatedSum } from "./compensated_sum.ts";
import type { Draws } from "./draws.ts";
import { type OscillatorModel, SimulatedOscillator } from "./oscillator.ts";

/** How the clock of a simulated machine starts out. */
export interface ClockModel extends OscillatorModel {
  /** How much the clock shows more than true time at the start. */
  readonly offset: Seconds;
  /** The smallest step between two readings; 0 for none. */
  readonly precision: Seconds;
}

/** What adjtimex would say of the clock. */
export interface SimulatedKernelStatus {
  /** Microseconds per tick, 9000 to 11000; 10000 is nominal. */
  readonly tick: number;
  /** The correction besides the tick. */
  readonly frequency: Ppm;
  /** Whether STA_UNSYNC is clear. */
  readonly synchronized: boolean;
  /** The largest possible error, growing. */
  readonly maxError: Seconds;
  /** The leap second that is armed. */
  readonly leap: "none" | "insert" | "delete";
}

/** The largest frequency that the kernel takes besides the tick. */
const KERNEL_FREQUENCY_MAX: Ppm = 500;
const TICK_NOMINAL = 10_000, TICK_MIN = 9000, TICK_MAX = 11_000;
/** One step of the kernel's 16-bit fraction of a part per million. */
const FREQUENCY_QUANTUM = 1 / 65_536;
const MAX_ERROR_GROWTH = 500e-6;
const MAX_ERROR_LIMIT = 16;
/** What the boot-time clock shows at the start: the machine has been up for a while. */
const UPTIME = 1000;

/** The clock of the simulated machine. Time only goes forward, by `advance`. */
export class SimulatedKernelClock {
  readonly #oscillator: SimulatedOscillator;
  readonly #start: NtpTimestamp;
  /** Seconds from the UTC midnight before the start to the start. */
  readonly #startOfDay: number;
  readonly #precision: number;
  #time = 0;
  /** The real-time clock less the even time scale. */
  readonly #error: CompensatedSum;
  /** The boot-time clock less the seconds since the start. */
  readonly #monotonicError = new CompensatedSum(UPTIME);
  #tick = TICK_NOMINAL;
  #frequency = 0;
  #multiplier = 1;
  #maxError = MAX_ERROR_LIMIT;
  #maxErrorSince = 0;
  #unsynchronized = true;
  #leap: "none" | "insert" | "delete" = "none";
  #leapDone = false;

  /** Starts a clock; `start` is the true time of the start. */
  constructor(model: ClockModel, options: { start: UnixNanoseconds; draws: Draws }) {
    this.#oscillator = new SimulatedOscillator(model, options.draws);
    this.#start = fromUnixNanoseconds(options.start);
    const days = floorDivide(options.start, NANOSECONDS_PER_DAY);
    this.#startOfDay = fromNanoseconds(options.start - days * NANOSECONDS_PER_DAY);
    this.#precision = model.precision;
    this.#error = new CompensatedSum(model.offset);
  }

  /** Lets time pass up to `time`, in seconds since the start. */
  advance(time: Seconds): void {
    assert(time >= this.#time, "A simulated clock cannot go back");
    const phase = this.#oscillator.advance(time);
    const growth = this.#multiplier * phase + (this.#multiplier - 1) * (time - this.#time);
    const before = this.#reading();
    this.#time = time;
    this.#error.add(growth);
    this.#monotonicError.add(growth);
    if (this.#leap !== "none") this.#leapSecond(before);
  }

  /**
   * Lets time pass while the machine sleeps. The oscillator goes on without being counted; at the
   * end both clocks are put forward by what the battery-backed clock says, which is `error` too
   * much.
   */
  sleep(until: Seconds, error: Seconds): void {
    this.#oscillator.advance(until);
    this.#time = until;
    this.#error.add(error);
    this.#monotonicError.add(error);
  }

  /**
   * Sets tick and frequency so that they come as near to a correction as the kernel can; returns
   * what is in force.
   */
  setFrequency(correction: Ppm): Ppm {
    let tick = TICK_NOMINAL;
    if (Math.abs(correction) > KERNEL_FREQUENCY_MAX) {
      tick = Math.min(TICK_MAX, Math.max(TICK_MIN, TICK_NOMINAL + Math.round(correction / 100)));
    }
    return this.setTickAndFrequency(tick, correction - (tick - TICK_NOMINAL) * 100);
  }

  /**
   * Sets the tick and the frequency as adjtimex does, clamped; returns the sum that is in force.
   */
  setTickAndFrequency(tick: number, frequency: Ppm): Ppm {
    this.#tick = Math.min(TICK_MAX, Math.max(TICK_MIN, tick));
    const clamped = Math.min(KERNEL_FREQUENCY_MAX, Math.max(-KERNEL_FREQUENCY_MAX, frequency));
    this.#frequency = Math.round(clamped / FREQUENCY_QUANTUM) * FREQUENCY_QUANTUM;
    this.#multiplier = this.#tick / TICK_NOMINAL + this.#frequency * PPM;
    return this.correction;
  }

  /** Steps the real-time clock (ADJ_SETOFFSET); the boot-time clock stays. */
  step(step: Seconds): void {
    this.#error.add(fromNanoseconds(toNanoseconds(step)));
  }

  /** Takes what the daemon tells the kernel of the clock's quality. */
  setStatus(status: { synchronized: boolean; maxError: Seconds; leap: string }): void {
    this.#unsynchronized = !status.synchronized;
    this.#maxError = Math.min(MAX_ERROR_LIMIT, status.maxError);
    this.#maxErrorSince = this.#time;
    const leap = status.leap === "insert" || status.leap === "delete" ? status.leap : "none";
    // The kernel acts once for each time that the flag is raised.
    if (leap !== this.#leap) this.#leapDone = false;
    this.#leap = leap;
  }

  /** Adds a lasting step to the oscillator's frequency. */
  stepOscillator(step: Ppm): void {
    this.#oscillator.stepFrequency(step);
  }

  /** The real-time clock as a program reads it now. */
  get realtime(): NtpTimestamp {
    const even = addSeconds(this.#start, this.#time);
    if (this.#precision === 0) return addSeconds(even, this.#error.value);
    // Rounds the fraction of the second down to the precision; whole seconds stay exact.
    const exact = addSeconds(even, this.#error.value);
    const fraction = Number(exact & 0xffff_ffffn) / TWO_POW_32;
    return addSeconds(exact, Math.floor(fraction / this.#precision) * this.#precision - fraction);
  }

  /** Both clocks as a program reads them now. */
  get now(): Instant {
    return { monotonic: this.monotonic, realtime: this.realtime };
  }

  /** The boot-time clock now. */
  get monotonic(): MonotonicSeconds {
    return this.#time + this.#monotonicError.value;
  }

  /**
   * How much the real-time clock shows more than the even time scale (which knows no leap seconds).
   */
  get error(): Seconds {
    return this.#error.value;
  }

  /** The clock's present rate less one: what it gains a second, slews included. */
  get rateError(): number {
    return (1 + this.#oscillator.relativeFrequency) * this.#multiplier - 1;
  }

  /** The correction that is in force: tick and frequency together. */
  get correction(): Ppm {
    return (this.#tick - TICK_NOMINAL) * 100 + this.#frequency;
  }

  /** What the oscillator itself gains now, without corrections. */
  get oscillatorFrequency(): Ppm {
    return this.#oscillator.relativeFrequency * 1e6;
  }

  /** What adjtimex would say now. */
  get status(): SimulatedKernelStatus {
    const grown = this.#maxError + MAX_ERROR_GROWTH * (this.#time - this.#maxErrorSince);
    return {
      tick: this.#tick,
      frequency: this.#frequency,
      synchronized: !this.#unsynchronized && grown < MAX_ERROR_LIMIT,
      maxError: Math.min(MAX_ERROR_LIMIT, grown),
      leap: this.#leap,
    };
  }

  /** Seconds from the midnight before the start to what the clock shows. */
  #reading(): number {
    return this.#startOfDay + this.#time + this.#error.value;
  }

  /** Steps the clock if it passed the moment of the leap (kernel/time/ntp.c, second_overflow). */
  #leapSecond(before: number): void {
    if (this.#leapDone) return;
    // An insertion repeats 23:59:59, a deletion leaves it out.
    const lead = this.#leap === "delete" ? 1 : 0;
    if (
      Math.floor((before + lead) / SECONDS_PER_DAY) ===
        Math.floor((this.#reading() + lead) / SECONDS_PER_DAY)
    ) return;
    this.#error.add(this.#leap === "insert" ? -1 : 1);
    this.#leapDone = true;
  }
}
