/**
 * Whether this process may adjust the clock, and what to say if not.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import type { ClockConfig } from "../config/config.ts";
import type { Ppm } from "../base/units.ts";
import { hasCapability } from "../../ffi/process/privileges.ts";
import { currentFrequency, takeOverClock } from "../system/kernel_clock.ts";

/** What was found out about the clock. */
export interface ClockPermission {
  /** Both wanted and permitted. */
  readonly mayAdjust: boolean;
  /** Why not, for the status; undefined when it may. */
  readonly notAdjustedReason?: string;
  /** The frequency correction in force. */
  readonly frequency: Ppm;
  /** A sentence for the log. */
  readonly notice: string;
  /**
   * How bad it is: a time daemon that may not set the clock, though not told to leave it alone,
   * deserves a warning.
   */
  readonly level: "info" | "warning";
}

/** What is wanted of the clock beside the configuration. */
export interface ClockWish {
  /** Never to touch it (`-x`). */
  readonly noAdjust: boolean;
  /** To set it and end (`-q`): without the permission that is no success. */
  readonly once: boolean;
  /** Takes the clock over; the system's own way when left out. */
  readonly takeOver?: () => Result<Ppm, string>;
}

/** The sentence that names what is missing. */
const NEEDS_CAPABILITY: string =
  "Adjusting the clock needs the capability CAP_SYS_TIME: run ntpsd as root, or grant it " +
  "(AmbientCapabilities=CAP_SYS_TIME in the systemd unit, --cap-add SYS_TIME for a container)";

/**
 * Takes the clock over if that is wanted and permitted; the error, a sentence, means that it is
 * demanded and not permitted.
 */
export function claimClock(
  config: ClockConfig,
  { noAdjust, once, takeOver = takeOverIfPermitted }: ClockWish,
): Result<ClockPermission, string> {
  const reading = currentFrequency();
  const frequency = reading.ok ? reading.value : 0;
  if (noAdjust || config.adjust === false) {
    const setting = noAdjust ? "--no-adjust" : "clock.adjust = false";
    return ok({
      mayAdjust: false,
      notAdjustedReason: `${setting} is set`,
      frequency,
      notice: `Measures only, because ${setting} is set`,
      level: "info",
    });
  }
  const taken = takeOver();
  if (taken.ok) {
    const notice = `Adjusts the clock, which runs at ${taken.value.toFixed(3)} ppm now`;
    return ok({ mayAdjust: true, frequency: taken.value, notice, level: "info" });
  }
  if (config.adjust === true) return err(`clock.adjust = true, but: ${taken.error}`);
  if (once) {
    return err(`--once is to set the clock, but: ${taken.error}; with -x it is measured only`);
  }
  return ok({
    mayAdjust: false,
    notAdjustedReason: taken.error,
    frequency,
    notice: `Measures only: ${taken.error}`,
    level: "warning",
  });
}

function takeOverIfPermitted(): Result<Ppm, string> {
  return hasCapability("CAP_SYS_TIME") ? takeOverClock() : err(NEEDS_CAPABILITY);
}
