/**
 * A time that has certainly passed, from times that authenticated sources vouch for.
 *
 * The problem: such a bound is believed over every source, after restarts too, so one wrong moment
 * of the sources must not raise it. The idea: it is raised only by a time that has gone on as
 * elapsed time says for hours, and only to where it stood that many hours ago. Whatever does not go
 * on from there begins anew, a return to the truth too, so a lie leaves nothing behind unless it
 * lasts. Limits: a clock that is slewed far takes the measure of elapsed time with it, which delays
 * the bound.
 *
 * @module
 */
import type { MonotonicSeconds, Seconds, UnixSeconds } from "../../base/units.ts";

/** So long a time must have gone on, and so far behind it the bound stays. */
export const BOUND_HOLD: Seconds = 6 * 3600;

/** The bound is raised at most so often. */
const RAISE_INTERVAL: Seconds = 3600;

/** A time goes on if it differs by no more than this from what has elapsed, and this part of it. */
const SLACK: Seconds = 60;
const SLACK_RATE = 1e-3;

/**
 * So much of the time between two looks counts at the most: two moments with nothing between them
 * are no hours.
 */
const GAP_MAX: Seconds = 3600;

/** A time that goes on. */
interface Course {
  /** The first that was told, and when. */
  readonly first: { readonly time: UnixSeconds; readonly at: MonotonicSeconds };
  /** When the last one was. */
  readonly lastAt: MonotonicSeconds;
  /** How long it has been told, gaps left out. */
  readonly held: Seconds;
}

/** Watches whether vouched times go on. */
export class VouchedBound {
  #course: Course | undefined;
  #raisedAt: MonotonicSeconds = -Infinity;

  /** Takes a time that is vouched for; returns a time that has passed when there is a new one. */
  vouched(time: UnixSeconds, at: MonotonicSeconds): UnixSeconds | undefined {
    const { first, lastAt, held } = this.#course ?? startOf(time, at);
    const elapsed = at - first.at;
    const expected = first.time + elapsed;
    if (!(Math.abs(time - expected) <= SLACK + SLACK_RATE * elapsed)) {
      this.#course = startOf(time, at);
      return undefined;
    }
    const course = { first, lastAt: at, held: held + Math.min(at - lastAt, GAP_MAX) };
    this.#course = course;
    if (course.held < BOUND_HOLD || at - this.#raisedAt < RAISE_INTERVAL) return undefined;
    this.#raisedAt = at;
    return Math.min(time, expected) - BOUND_HOLD;
  }
}

function startOf(time: UnixSeconds, at: MonotonicSeconds): Course {
  return { first: { time, at }, lastAt: at, held: 0 };
}
