/**
 * How a known offset is removed: the clock runs a little faster or slower for a stated time.
 *
 * Only the rate of the clock is changed here, so the clock stays monotone. A small offset is
 * removed within half a poll interval, so that the rate stays calm. A large one is removed as
 * fast as the slew limit allows at the start. Once the clock is known to be right, or has run
 * for a minute, what would need a rate that is felt takes a minute: programs that measure rates
 * run by then. There is no feedback loop to overshoot: all corrections are known exactly
 * (`free_running_clock.ts`), and a slew that ran too long because the process was late is a
 * known offset, which is removed in turn.
 *
 * @module
 */
import { type MonotonicSeconds, PPM, type Seconds } from "../base/units.ts";

/** An offset is removed over this part of the poll interval ... */
const REMOVAL_POLL_PART = 1 / 2;
/** ... but at the start not faster than this, and never slower than that. */
const REMOVAL_TIME_MIN: Seconds = 2;
const REMOVAL_TIME_MAX: Seconds = 512;
/** An offset beyond this hurts users, and is removed in a hurry ... */
const URGENT_OFFSET: Seconds = 1e-3;
/** ... if it is more than noise of the estimate: beyond so many standard deviations. */
const URGENT_DEVIATIONS = 4;
/** The shortest slew, at the start: timers are late by milliseconds. */
const SLEW_TIME_MIN: Seconds = 1;
/** The shortest of a clock that has been right: programs that measure rates run by then. */
const PATIENCE: Seconds = 60;
/** The start lasts no longer than this, however little is known of the offset by then. */
export const START_TIME: Seconds = 60;
/** A change of the rate that no program feels, seconds per second: it needs no patience. */
const CALM_RATE = 0.5 * PPM;

/** A rate, and how long it is to be kept. */
export interface SlewPlan {
  /** The fraction by which the clock is made faster, without the correction of its frequency. */
  readonly slew: number;
  /** When the slew is done; Infinity if there is none. */
  readonly until: MonotonicSeconds;
}

/**
 * Tells whether a clock is known to be right, and to stay so while we are patient: by what is left
 * of its offset, and the standard deviations of offset and frequency (seconds per second).
 */
export function isRight(
  remaining: Seconds,
  deviations: { readonly offset: Seconds; readonly frequency: number },
): boolean {
  const coming = deviations.offset + deviations.frequency * PATIENCE;
  return Math.abs(remaining) + URGENT_DEVIATIONS * coming < URGENT_OFFSET;
}

function isUrgent(offset: Seconds, uncertainty: Seconds): boolean {
  return Math.abs(offset) > Math.max(URGENT_OFFSET, URGENT_DEVIATIONS * uncertainty);
}

/** Plans the removal of an offset (positive: the clock must go forward). */
export function planSlew(
  offset: Seconds,
  limits: {
    readonly now: MonotonicSeconds;
    readonly pollInterval: Seconds;
    /** One standard deviation of the offset. */
    readonly uncertainty: Seconds;
    /** The largest slew as a fraction. */
    readonly maxSlew: number;
    /** Whether the clock was just started or set, and has not been right since. */
    readonly isStarting: boolean;
  },
): SlewPlan {
  if (offset === 0) return { slew: 0, until: Infinity };
  const unhurried = Math.min(
    REMOVAL_TIME_MAX,
    Math.max(
      limits.isStarting ? REMOVAL_TIME_MIN : Math.min(PATIENCE, Math.abs(offset) / CALM_RATE),
      limits.pollInterval * REMOVAL_POLL_PART,
    ),
  );
  const hurried = limits.isStarting ? SLEW_TIME_MIN : PATIENCE;
  const wanted = isUrgent(offset, limits.uncertainty) ? hurried : unhurried;
  const duration = Math.max(wanted, Math.abs(offset) / limits.maxSlew);
  return { slew: offset / duration, until: limits.now + duration };
}
