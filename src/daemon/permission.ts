/**
 * Whether this process may adjust the clock, and what to say if not.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import type { ClockConfig } from "../config/config.ts";
import type { Ppm } from "../base/units.ts";
import { hasCapability } from "../../ffi/privileges.ts";
import { currentFrequency, takeOverClock } from "./kernel_port.ts";

/** What was found out about the clock. */
export interface ClockPermission {
  /** Both wanted and permitted. */
  readonly mayAdjust: boolean;
  /** Why not, for the status; undefined when it may. */
  readonly whyMeasuring?: string;
  /** The frequency correction in force. */
  readonly frequency: Ppm;
  /** A sentence for the log. */
  readonly notice: string;
}

/** The sentence that names what is missing. */
export const NEEDS_CAPABILITY: string =
  "Adjusting the clock needs the capability CAP_SYS_TIME: run ntpsd as root, or grant it " +
  "(AmbientCapabilities=CAP_SYS_TIME in the systemd unit, --cap-add SYS_TIME for a container)";

/** Takes the clock over if that is wanted and permitted; the error means that it is demanded and not permitted. */
export function claimClock(
  config: ClockConfig,
  noAdjust: boolean,
): Result<ClockPermission, string> {
  const reading = currentFrequency();
  const frequency = reading.ok ? reading.value : 0;
  if (noAdjust || config.adjust === false) {
    const why = noAdjust ? "--no-adjust" : "clock.adjust = false";
    return ok({
      mayAdjust: false,
      whyMeasuring: `${why} wants it so`,
      frequency,
      notice: `Measures only, as ${why} wants it`,
    });
  }
  const taken = hasCapability("CAP_SYS_TIME") ? takeOverClock() : err(NEEDS_CAPABILITY);
  if (taken.ok) {
    const notice = `Adjusts the clock, which runs at ${taken.value.toFixed(3)} ppm now`;
    return ok({ mayAdjust: true, frequency: taken.value, notice });
  }
  if (config.adjust === true) return err(taken.error);
  return ok({
    mayAdjust: false,
    whyMeasuring: taken.error,
    frequency,
    notice: `Measures only: ${taken.error}`,
  });
}
