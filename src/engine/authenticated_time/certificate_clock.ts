/**
 * The time by which certificates are judged.
 *
 * Once a time was vouched for, it is that one and what has passed since on a clock that is never
 * set; before that it is the local clock. So a time for which no authenticated source vouches
 * decides nothing about certificates, even when the clock follows it.
 *
 * @module
 */
import type { Instant } from "../../base/instant.ts";
import type { MonotonicSeconds, Seconds, UnixSeconds } from "../../base/units.ts";
import { unixSecondsOf } from "./told_time.ts";

/**
 * A time that no source has vouched for again for so long refuses no certificate for its dates any
 * more, as at the start: the sources that told it may have lied, and those that could contradict
 * may have no keys left.
 */
const AGE_MAX: Seconds = 6 * 3600;

/** Keeps the last time that was vouched for. */
export class CertificateClock {
  #vouched: { readonly time: UnixSeconds; readonly at: MonotonicSeconds } | undefined;

  /** Takes a time that can be believed, at the moment `at`. */
  vouched(time: UnixSeconds, at: MonotonicSeconds): void {
    this.#vouched = { time, at };
  }

  /** Returns the time at a moment. */
  read({ monotonic, realtime }: Instant): UnixSeconds {
    return this.#vouched === undefined
      ? unixSecondsOf(realtime)
      : this.#vouched.time + monotonic - this.#vouched.at;
  }

  /** Tells whether the time was vouched for, but too long ago. */
  isStale(now: MonotonicSeconds): boolean {
    return this.#vouched !== undefined && now - this.#vouched.at > AGE_MAX;
  }
}
