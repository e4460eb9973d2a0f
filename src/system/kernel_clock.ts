/**
 * Carries out the engine's `set-clock` actions on the kernel's clock, and tells what is really in
 * force afterwards.
 *
 * @module
 */
import type { ClockReading, SetClockAction } from "../engine/events.ts";
import { toNanoseconds } from "../base/nanoseconds.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Ppm } from "../base/units.ts";
import {
  adjustKernelClock,
  FREQUENCY_MAX_PPM,
  type KernelLeap,
  readKernelClock,
  stepKernelClock,
  stopKernelLoops,
} from "../../ffi/clock/timex.ts";

/** The kernel takes no larger error than this. */
const ERROR_MAX_SECONDS = 16;

/**
 * Takes the clock over from the program that steered it before. Returns the frequency that is in
 * force.
 */
export function takeOverClock(): Result<Ppm, string> {
  const stopped = stopKernelLoops();
  return stopped.ok ? ok(stopped.value.frequencyPpm) : err(stopped.error.message);
}

/** Returns the frequency correction that is in force; reading needs no privilege. */
export function currentFrequency(): Result<Ppm, string> {
  const state = readKernelClock();
  return state.ok ? ok(state.value.frequencyPpm) : err(state.error.message);
}

/**
 * A frequency that differs by more than rounding was set by another program.
 */
const FREQUENCY_CHANGE_MIN: Ppm = 0.01;

/** Carries out commands, and notices when another program has set the frequency between them. */
export class KernelClockPort {
  #expected: Ppm | undefined;

  /**
   * Steps first (a step resets the status), then sets frequency and status in one call. The error
   * is a sentence. A sentence is given to `externalChange` when the frequency was not the one that
   * was set last.
   */
  set(
    action: SetClockAction,
    externalChange: (message: string) => void,
  ): Result<ClockReading, string> {
    const before = currentFrequency();
    const expected = this.#expected;
    if (
      expected !== undefined && before.ok &&
      Math.abs(before.value - expected) > FREQUENCY_CHANGE_MIN
    ) {
      externalChange(
        `The clock's frequency was set from outside, from ${expected.toFixed(3)} to ${
          before.value.toFixed(3)
        } ppm: is another time daemon running`,
      );
    }
    const result = setKernelClock(action);
    this.#expected = result.ok ? result.value.frequency : undefined;
    return result;
  }
}

function setKernelClock(action: SetClockAction): Result<ClockReading, string> {
  if (action.step !== 0) {
    const stepped = stepKernelClock(toNanoseconds(action.step));
    if (!stepped.ok) return err(stepped.error.message);
  }
  const { status } = action;
  const adjusted = adjustKernelClock({
    frequencyPpm: Math.min(FREQUENCY_MAX_PPM, Math.max(-FREQUENCY_MAX_PPM, action.frequency)),
    maxErrorSeconds: clampError(status.maxError),
    estimatedErrorSeconds: clampError(status.estimatedError),
    status: { synchronized: status.synchronized, leap: kernelLeap(status.leap) },
    ...(status.taiOffset === undefined ? {} : { taiOffsetSeconds: status.taiOffset }),
  });
  if (!adjusted.ok) return err(adjusted.error.message);
  return ok({ frequency: adjusted.value.frequencyPpm, step: action.step });
}

function clampError(seconds: number): number {
  return Math.min(ERROR_MAX_SECONDS, Math.max(0, seconds));
}

function kernelLeap(leap: SetClockAction["status"]["leap"]): KernelLeap {
  return leap === "insert" || leap === "delete" ? leap : "none";
}
