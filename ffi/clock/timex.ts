/**
 * The kernel's clock discipline: `clock_adjtime` on the real-time clock.
 *
 * The idea: ntpsd steers by frequency alone (and steps by an offset), so the kernel's own loops are
 * off and the kernel is told only how fast to run and what to say of itself to others. Frequencies
 * up to 500 ppm go into `freq`, larger ones into `tick` with the rest in `freq`; the kernel adds
 * both exactly, in one call. Limits: tick counts 100 ppm a unit (USER_HZ 100, as on both supported
 * processors); a change needs CAP_SYS_TIME, reading needs nothing.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { UnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { NANOSECONDS_PER_SECOND, type Ppm, type Seconds } from "../../src/base/units.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import {
  ADJ_ESTERROR,
  ADJ_FREQUENCY,
  ADJ_MAXERROR,
  ADJ_NANO,
  ADJ_OFFSET,
  ADJ_OFFSET_SINGLESHOT,
  ADJ_SETOFFSET,
  ADJ_STATUS,
  ADJ_TAI,
  ADJ_TICK,
  CLOCK_REALTIME,
  STA_DEL,
  STA_INS,
  STA_NANO,
  STA_PLL,
  STA_UNSYNC,
  TIME_DEL,
  TIME_ERROR,
  TIME_INS,
  TIME_OK,
  TIME_OOP,
  TIME_WAIT,
  TIMEVAL,
  TIMEX,
} from "../headers/time.ts";
import { lastErrno, libc } from "../libc.ts";
import { allocate } from "../memory.ts";

/**
 * What the kernel says of a leap second: none, one at the end of the day, one right now, one just
 * over.
 */
export type KernelLeapState = "ok" | "insert" | "delete" | "inserting" | "done" | "error";

/** A leap second to announce to the kernel for the end of this UTC day. */
export type KernelLeap = "none" | "insert" | "delete";

/** The state of the kernel's clock at the moment of a call. */
export interface KernelClock {
  /** The real-time clock at the call (after the step, if it was one). */
  readonly time: UnixNanoseconds;
  /** The answer of the call; "error" means unsynchronised, not failure. */
  readonly state: KernelLeapState;
  /** The status bits as they are. */
  readonly status: number;
  /** Whether the kernel tells others that it is synchronised (STA_UNSYNC clear). */
  readonly synchronized: boolean;
  /**
   * The whole frequency correction, `tick` and `freq` together; positive makes the clock run
   * faster.
   */
  readonly frequencyPpm: Ppm;
  /**
   * The bound of the error that the kernel tells others; it grows by itself until it is set anew.
   */
  readonly maxErrorSeconds: Seconds;
  /** The estimate of the error that the kernel tells others. */
  readonly estimatedErrorSeconds: Seconds;
  /** TAI minus UTC as the kernel knows it; zero when it was not told. */
  readonly taiOffsetSeconds: number;
}

/** What to change; what is absent stays. All is changed in one call. */
export interface ClockChange {
  /**
   * The whole frequency correction, at most `FREQUENCY_MAX_PPM` either way; rounded to 2^-16 ppm.
   */
  readonly frequencyPpm?: Ppm;
  /** The error bound for others, 0 to 16 s. */
  readonly maxErrorSeconds?: Seconds;
  /** The error estimate for others, 0 to 16 s. */
  readonly estimatedErrorSeconds?: Seconds;
  /** What to say of synchronisation and of the coming leap second; both are written together. */
  readonly status?: { readonly synchronized: boolean; readonly leap: KernelLeap };
  /** TAI minus UTC in whole seconds. */
  readonly taiOffsetSeconds?: number;
}

/** The largest frequency correction that the kernel takes, either way. */
export const FREQUENCY_MAX_PPM = 100_000;

// `struct timex` holds a time whose second part counts microseconds, or nanoseconds under
// `STA_NANO`.
const TIME_SECONDS = TIMEX.time + TIMEVAL.tv_sec;
const TIME_SUBSECONDS = TIMEX.time + TIMEVAL.tv_usec;
const NOMINAL_TICK = 10_000;
const PPM_PER_TICK = 100;
const FREQ_MAX_PPM = 500;
const FREQ_UNIT = 65_536;
const ERROR_MAX_SECONDS = 16;

const LEAP_STATES: Readonly<Record<number, KernelLeapState>> = {
  [TIME_OK]: "ok",
  [TIME_INS]: "insert",
  [TIME_DEL]: "delete",
  [TIME_OOP]: "inserting",
  [TIME_WAIT]: "done",
  [TIME_ERROR]: "error",
};

const timex = allocate(TIMEX.sizeof);

/** Reads the state of the kernel's clock; changes nothing and needs no privilege. */
export function readKernelClock(): Result<KernelClock, OsError> {
  timex.bytes.fill(0);
  return call("read the kernel clock");
}

/**
 * Changes frequency, errors, status or TAI offset in one call, and returns the state after it; it
 * never steps.
 */
export function adjustKernelClock(change: ClockChange): Result<KernelClock, OsError> {
  timex.bytes.fill(0);
  // With ADJ_NANO the kernel gives the time of this and of later calls in nanoseconds.
  let modes = ADJ_NANO;
  if (change.frequencyPpm !== undefined) {
    const { tick, ppm } = splitFrequency(change.frequencyPpm);
    modes |= ADJ_FREQUENCY | ADJ_TICK;
    setLong(TIMEX.freq, Math.round(ppm * FREQ_UNIT));
    setLong(TIMEX.tick, tick);
  }
  if (change.maxErrorSeconds !== undefined) {
    modes |= ADJ_MAXERROR;
    setLong(TIMEX.maxerror, errorMicroseconds(change.maxErrorSeconds));
  }
  if (change.estimatedErrorSeconds !== undefined) {
    modes |= ADJ_ESTERROR;
    setLong(TIMEX.esterror, errorMicroseconds(change.estimatedErrorSeconds));
  }
  if (change.status !== undefined) {
    modes |= ADJ_STATUS;
    timex.view.setInt32(TIMEX.status, statusBits(change.status), true);
  }
  if (change.taiOffsetSeconds !== undefined) {
    assert(Number.isInteger(change.taiOffsetSeconds), "The TAI offset is a whole number");
    modes |= ADJ_TAI;
    setLong(TIMEX.constant, change.taiOffsetSeconds);
  }
  timex.view.setUint32(TIMEX.modes, modes, true);
  return call("adjust the kernel clock");
}

/**
 * Steps the real-time clock by `nanoseconds`, positive forward. Afterwards the kernel calls itself
 * unsynchronised with the largest error, and has forgotten an announced leap second: errors and
 * status are to be written anew.
 */
export function stepKernelClock(nanoseconds: bigint): Result<KernelClock, OsError> {
  timex.bytes.fill(0);
  const remainder = ((nanoseconds % NANOSECONDS_PER_SECOND) + NANOSECONDS_PER_SECOND) %
    NANOSECONDS_PER_SECOND;
  timex.view.setUint32(TIMEX.modes, ADJ_SETOFFSET | ADJ_NANO, true);
  timex.view.setBigInt64(TIME_SECONDS, (nanoseconds - remainder) / NANOSECONDS_PER_SECOND, true);
  timex.view.setBigInt64(TIME_SUBSECONDS, remainder, true);
  return call("step the kernel clock");
}

/**
 * Switches off what else may steer the clock: the kernel's loops with what they have left to slew,
 * and an `adjtime` that another program began. The frequency stays as it is.
 */
export function stopKernelLoops(): Result<KernelClock, OsError> {
  const before = readKernelClock();
  if (!before.ok) return before;
  // Only while the PLL is on does the kernel take an offset, so it is put on for the call that sets
  // the rest to zero.
  const kept = before.value.status & (STA_INS | STA_DEL | STA_UNSYNC);
  const cleared = setStatus(ADJ_OFFSET | ADJ_STATUS, kept | STA_PLL);
  if (!cleared.ok) return cleared;
  const stopped = setStatus(ADJ_STATUS, kept);
  if (!stopped.ok) return stopped;
  return setStatus(ADJ_OFFSET_SINGLESHOT, 0);
}

/**
 * Divides a frequency between the kernel's `tick` (100 ppm a unit) and the rest in parts per
 * million, at most 500.
 */
export function splitFrequency(frequencyPpm: Ppm): { readonly tick: number; readonly ppm: Ppm } {
  assert(Math.abs(frequencyPpm) <= FREQUENCY_MAX_PPM, "A frequency is within the kernel's range");
  if (Math.abs(frequencyPpm) <= FREQ_MAX_PPM) return { tick: NOMINAL_TICK, ppm: frequencyPpm };
  const units = Math.round(frequencyPpm / PPM_PER_TICK);
  return { tick: NOMINAL_TICK + units, ppm: frequencyPpm - units * PPM_PER_TICK };
}

function setStatus(modes: number, status: number): Result<KernelClock, OsError> {
  timex.bytes.fill(0);
  timex.view.setUint32(TIMEX.modes, modes, true);
  timex.view.setInt32(TIMEX.status, status, true);
  return call("switch off the kernel's own clock discipline");
}

function statusBits(status: { synchronized: boolean; leap: KernelLeap }): number {
  const leap = { none: 0, insert: STA_INS, delete: STA_DEL }[status.leap];
  return leap | (status.synchronized ? 0 : STA_UNSYNC);
}

function call(what: string): Result<KernelClock, OsError> {
  const state = libc().clock_adjtime(CLOCK_REALTIME, timex.bytes);
  if (state < 0) {
    const code = lastErrno();
    const hint = code === ERRNO.EPERM ? { hint: PRIVILEGE_HINT } : {};
    return failed({ call: "clock_adjtime", what, code, ...hint });
  }
  return ok(decode(LEAP_STATES[state] ?? "error"));
}

const PRIVILEGE_HINT =
  "Grant CAP_SYS_TIME (AmbientCapabilities=CAP_SYS_TIME in the service unit, --cap-add SYS_TIME for a container), " +
  "or start with --no-adjust";

function decode(state: KernelLeapState): KernelClock {
  const { view } = timex;
  const status = view.getInt32(TIMEX.status, true);
  const nano = (status & STA_NANO) !== 0;
  const tick = getLong(TIMEX.tick);
  const subsecond = view.getBigInt64(TIME_SUBSECONDS, true) * (nano ? 1n : 1000n);
  return {
    time: view.getBigInt64(TIME_SECONDS, true) * NANOSECONDS_PER_SECOND + subsecond,
    state,
    status,
    synchronized: (status & STA_UNSYNC) === 0,
    frequencyPpm: (tick - NOMINAL_TICK) * PPM_PER_TICK +
      getLong(TIMEX.freq) / FREQ_UNIT,
    maxErrorSeconds: getLong(TIMEX.maxerror) / 1e6,
    estimatedErrorSeconds: getLong(TIMEX.esterror) / 1e6,
    taiOffsetSeconds: view.getInt32(TIMEX.tai, true),
  };
}

/** Rounds an error up to whole microseconds, so that a bound stays one. */
function errorMicroseconds(seconds: Seconds): number {
  assert(seconds >= 0, "An error bound is not negative");
  return Math.ceil(Math.min(seconds, ERROR_MAX_SECONDS) * 1e6);
}

function getLong(offset: number): number {
  return Number(timex.view.getBigInt64(offset, true));
}

function setLong(offset: number, value: number): void {
  timex.view.setBigInt64(offset, BigInt(value), true);
}
