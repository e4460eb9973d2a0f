/**
 * Reads both local clocks as one instant, and notices suspend.
 *
 * @module
 */
import type { Instant } from "../base/instant.ts";
import { fromNanoseconds } from "../base/nanoseconds.ts";
import { fromUnixNanoseconds } from "../base/ntp_timestamp.ts";
import type { Seconds } from "../base/units.ts";
import {
  boottimeNanoseconds,
  boottimeNow,
  monotonicNanoseconds,
  realtimeNow,
} from "../../ffi/clock/clock.ts";

/**
 * Between two readings of one clock the other is read; if that takes longer, we were held up and
 * try again.
 */
const HELD_UP: Seconds = 1e-5;
const TRIES = 4;
/** The two clocks are read one after the other; less than this is not sleep. */
const SLEEP_MIN_NANOSECONDS = 100_000_000n;

/** Reads the boot-time and the real-time clock as closely together as can be. */
export function readInstant(): Instant {
  let best: Instant | undefined;
  let shortest = Infinity;
  for (let i = 0; i < TRIES; i++) {
    const before = boottimeNow();
    const realtime = realtimeNow();
    const after = boottimeNow();
    if (after - before >= shortest) continue;
    shortest = after - before;
    best = { monotonic: (before + after) / 2, realtime: fromUnixNanoseconds(realtime) };
    if (shortest < HELD_UP) break;
  }
  return best ?? { monotonic: boottimeNow(), realtime: fromUnixNanoseconds(realtimeNow()) };
}

/** Notices that the machine slept: the boot-time clock goes on then, the monotonic one does not. */
export class SleepDetector {
  #ahead = boottimeNanoseconds() - monotonicNanoseconds();

  /** Returns how long the machine slept since the last call, 0 if it did not. */
  check(): Seconds {
    const ahead = boottimeNanoseconds() - monotonicNanoseconds();
    const slept = ahead - this.#ahead;
    if (slept < SLEEP_MIN_NANOSECONDS) return 0;
    this.#ahead = ahead;
    return fromNanoseconds(slept);
  }
}
