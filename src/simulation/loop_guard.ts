/**
 * Ends a simulation whose engine asks for one event after another without letting time pass.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";

/** More events than this in one simulated second are a loop. */
const EVENTS_PER_SECOND_MAX = 20_000;

/** Counts the events of each simulated second. */
export class LoopGuard {
  #second = 0;
  #count = 0;

  /**
   * Counts an event that is due at `time`, in seconds since the start.
   *
   * @throws when there are too many in one second.
   */
  count(time: Seconds): void {
    const second = Math.floor(time);
    this.#count = second === this.#second ? this.#count + 1 : 0;
    this.#second = second;
    assert(
      this.#count < EVENTS_PER_SECOND_MAX,
      `The engine made ${EVENTS_PER_SECOND_MAX} events within second ${second} of the simulation`,
    );
  }
}
