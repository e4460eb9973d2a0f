/**
 * Tells the log what becomes of the clock: steps, and what keeps it from the time that is followed.
 *
 * What lasts is told when it begins, and what comes and goes less and less often (`hold.ts`).
 * Limits: each method is to be called whenever its matter is looked at, whether it is bad or not.
 *
 * @module
 */
import { clockPosition } from "../../base/clock_position.ts";
import { type MonotonicSeconds, PPM, type Ppm, type Seconds } from "../../base/units.ts";
import type { Action } from "../events.ts";
import { Notice } from "./hold.ts";

/** A rate that differs from the wanted one by more than this is told. */
const RATE_DIFFERENCE_MAX: Ppm = 1;

/** How far the clock is from the time that is followed. */
export interface ClockDistance {
  /** Positive when the clock must go forward. */
  readonly offset: Seconds;
  /** Whether a step would correct it if steps were allowed. */
  readonly isFar: boolean;
}

/** Follows what is told of one clock. */
export class ClockReports {
  readonly #waiting = new Notice();
  readonly #slews = new Notice();
  readonly #errors = new Notice();
  readonly #rates = new Notice();
  readonly #limits = new Notice();
  readonly #distances = new Notice();

  /** Tells that the clock is stepped. */
  stepped(step: Seconds): readonly Action[] {
    const message = `The clock is stepped by ${step.toFixed(6)} s`;
    return [{ type: "log", level: "warning", message }];
  }

  /** Tells of an offset that would be stepped at the start, and is slewed at `maxSlew` now. */
  slewed(
    { offset, isFar, maxSlew }: ClockDistance & { readonly maxSlew: Ppm },
    now: MonotonicSeconds,
  ): readonly Action[] {
    const seconds = Math.abs(offset) / (maxSlew * PPM);
    return warning(
      this.#slews.look(isFar, now),
      (often) =>
        `The clock is ${positionOf(offset)}; step-limit allows no further step, and slewing ` +
        `takes at least ${seconds.toFixed(0)} s${often}`,
    );
  }

  /** Tells why the clock is left alone although sources agree; undefined when it is not. */
  waiting(reason: string | undefined, now: MonotonicSeconds): readonly Action[] {
    return warning(this.#waiting.look(reason !== undefined, now), () => reason ?? "");
  }

  /** Tells why a command failed; undefined when it was carried out. */
  commanded(error: string | undefined, now: MonotonicSeconds): readonly Action[] {
    const often = this.#errors.look(error !== undefined, now);
    if (often === undefined) return [];
    return [{
      type: "log",
      level: "error",
      message: `The clock could not be changed: ${error}${often}`,
    }];
  }

  /** Tells of a rate that is not the one that was wanted. */
  ran(
    { wanted, actual }: { readonly wanted: Ppm; readonly actual: Ppm },
    now: MonotonicSeconds,
  ): readonly Action[] {
    const isOther = Math.abs(wanted - actual) > RATE_DIFFERENCE_MAX;
    return warning(
      this.#rates.look(isOther, now),
      (often) =>
        `The kernel runs the clock at ${actual.toFixed(3)} ppm instead of ` +
        `${wanted.toFixed(3)} ppm${often}`,
    );
  }

  /** Tells of a frequency that the configuration does not allow. */
  limited(
    { frequency, limit }: { readonly frequency: Ppm; readonly limit: Ppm },
    now: MonotonicSeconds,
  ): readonly Action[] {
    return warning(
      this.#limits.look(Math.abs(frequency) > limit, now),
      (often) =>
        `The clock needs a correction of ${frequency.toFixed(1)} ppm, more than ` +
        `max-frequency-ppm = ${limit} allows: it will drift${often}`,
    );
  }

  /** Tells that a clock that is not adjusted is far from the time, and that it is near again. */
  measured({ offset, isFar }: ClockDistance, now: MonotonicSeconds): readonly Action[] {
    const wasTold = this.#distances.isTold;
    const often = this.#distances.look(isFar, now);
    if (wasTold && !isFar) {
      const message = `The clock is near the right time again: ${positionOf(offset)}`;
      return [{ type: "log", level: "info", message }];
    }
    return warning(
      often,
      (often) => `The clock is ${positionOf(offset)}, and is not adjusted${often}`,
    );
  }
}

function positionOf(offset: Seconds): string {
  return `${clockPosition(offset, 3)} what the sources agree on`;
}

/** Makes the line of a notice, if it is to be told now. */
function warning(
  often: string | undefined,
  message: (often: string) => string,
): readonly Action[] {
  return often === undefined ? [] : [{ type: "log", level: "warning", message: message(often) }];
}
