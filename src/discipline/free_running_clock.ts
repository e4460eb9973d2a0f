/**
 * The clock as it would run without corrections.
 *
 * Every correction by ntpsd is known exactly: which rate was in force from when to when. Without
 * them there remains a clock that only the oscillator moves, and its offset and frequency are what
 * is estimated. So a slew is never taken for drift, and the way in which corrections are made
 * cannot disturb the estimate. Steps do not enter here: the axis is the boot-time clock, which is
 * slewed like the real-time clock but never stepped.
 *
 * Limits: it remembers the last `SEGMENTS_MAX` rates only, which is far longer than a packet
 * travels.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";

const SEGMENTS_MAX = 64;

/** A stretch of time during which one rate was in force. */
interface Segment {
  readonly start: MonotonicSeconds;
  /** All corrections up to the start of the segment. */
  readonly correction: Seconds;
  /** The fraction by which the clock is made faster. */
  readonly rate: number;
}

/** Records the corrections made to the local clock. */
export class FreeRunningClock {
  #segments: Segment[];

  /**
   * Starts with no correction made and the given rate in force, a fraction (1e-6 is one part per
   * million).
   */
  constructor(now: MonotonicSeconds, rate: number) {
    this.#segments = [{ start: now, correction: 0, rate }];
  }

  /** The rate in force. */
  get rate(): number {
    return this.#last.rate;
  }

  /** Returns the sum of all corrections up to a moment: local clock minus free-running clock. */
  correctionAt(time: MonotonicSeconds): Seconds {
    let segment = this.#last;
    for (let i = this.#segments.length - 1; i >= 0; i--) {
      segment = this.#segments[i] ?? segment;
      if (segment.start <= time) break;
    }
    return segment.correction + (time - segment.start) * segment.rate / (1 + segment.rate);
  }

  /** Returns the free-running clock's reading at a moment of the boot-time clock. */
  at(time: MonotonicSeconds): Seconds {
    return time - this.correctionAt(time);
  }

  /** Records that from now on another rate is in force. */
  setRate(now: MonotonicSeconds, rate: number): void {
    assert(now >= this.#last.start, "Rates change in the order of time");
    assert(rate > -0.5 && rate < 0.5, "A clock's rate stays within a half");
    if (rate === this.#last.rate) return;
    this.#segments.push({ start: now, correction: this.correctionAt(now), rate });
    if (this.#segments.length > SEGMENTS_MAX) this.#segments.shift();
  }

  get #last(): Segment {
    const last = this.#segments[this.#segments.length - 1];
    assert(last !== undefined, "A clock always has a rate");
    return last;
  }
}
