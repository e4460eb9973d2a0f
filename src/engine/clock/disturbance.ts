/**
 * Notices that the real-time clock was changed from outside.
 *
 * The boot-time clock is slewed like the real-time clock but never stepped, so between two events
 * both advance alike. If the real-time clock gained or lost beyond what reading two clocks takes,
 * it was stepped: by a person, by another daemon, by the machine's host, or by the kernel itself at
 * a leap second. Limit: steps below `TOLERANCE` and what the clocks can tell look like noise and
 * are left to the measurements.
 *
 * @module
 */
import type { Instant } from "../../base/instant.ts";
import { difference } from "../../base/ntp_timestamp.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { Event } from "../events.ts";

/** What reading both clocks one after the other may take, with the process held up in between. */
const TOLERANCE: Seconds = 5e-4;

/** Steps of others are told at most this often. */
const NOTICE_INTERVAL: Seconds = 600;

/** Compares the two clocks from event to event. */
export class DisturbanceDetector {
  readonly #tolerance: Seconds;
  #last: Instant | undefined;
  #toldAt: MonotonicSeconds = -Infinity;

  /** `precision` is the step between two readings of a clock. */
  constructor(precision: Seconds) {
    // each of the two clocks may have been read at either end of a step
    this.#tolerance = TOLERANCE + 2 * precision;
  }

  /** Returns by how much the real-time clock was stepped since the last call, 0 if it was not. */
  check(now: Instant): Seconds {
    const last = this.#last;
    this.#last = now;
    if (last === undefined) return 0;
    const real = difference(now.realtime, last.realtime);
    const gained = real - (now.monotonic - last.monotonic);
    return Math.abs(gained) > this.#tolerance ? gained : 0;
  }

  /**
   * Returns how loudly a step of others is told: one that steps the clock all the time must not
   * fill the log.
   */
  noticeLevel(now: MonotonicSeconds): "warning" | "debug" {
    if (now - this.#toldAt < NOTICE_INTERVAL) return "debug";
    this.#toldAt = now;
    return "warning";
  }

  /** Forgets the past, because we stepped the clock ourselves. */
  clockStepped(): void {
    this.#last = undefined;
  }
}

/** Tells whether an event says that the clock was stepped as we had wanted. */
export function isOwnStep(event: Event): boolean {
  return event.type === "clock-set" && event.result.ok && event.result.value.step !== 0;
}
