/**
 * Notices that the machine stood still without any of its own clocks knowing: a virtual machine
 * that was paused, or goes on from a snapshot.
 *
 * The problem: what the sources say then looks like a lie of all of them. The idea: the hardware
 * clock ran on meanwhile, so its lead over the real-time clock has grown by the time that is
 * missing. Limits: it counts whole seconds, and a hardware clock that was set looks the same, so
 * this is a suspicion and no more; a machine without such a clock notices nothing.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";

/** Both clocks count in seconds, and one of them in whole ones. */
const PAUSE_MIN: Seconds = 3;

/** The hardware clock and the real-time clock at one moment, seconds of the Unix epoch. */
export interface ClockPair {
  /** The hardware clock: whole seconds, in whatever time zone. */
  readonly hardware: Seconds;
  /** The real-time clock. */
  readonly realtime: Seconds;
}

/** Compares the two clocks from look to look. */
export class PauseDetector {
  #lead: Seconds | undefined;

  /** Returns for how long the machine may have stood still since the last look; 0 if not. */
  look({ hardware, realtime }: ClockPair): Seconds {
    const lead = hardware - realtime;
    const before = this.#lead;
    this.#lead = lead;
    if (before === undefined) return 0;
    const gained = lead - before;
    return gained < PAUSE_MIN ? 0 : gained;
  }

  /** Forgets the last look: the real-time clock was set. */
  clockStepped(): void {
    this.#lead = undefined;
  }
}
