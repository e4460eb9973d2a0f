/**
 * How long after the clock was read a response leaves, when the process had slept before.
 *
 * The problem: a transmit timestamp is read before the response is handed to the kernel. After a
 * sleep the caches are cold and the way to the wire takes some 15 microseconds, and a client in
 * basic mode sees half of them as an offset. The idea: the kernel timestamps a few such responses,
 * and the timestamps of the next ones are put forward by most of what that took. Of four that were
 * timed the quickest counts, at once if it is quicker than those before; and to be timed takes time
 * itself. So a timestamp is seldom later than its response. Limits: where the network interface
 * timestamps nothing, nothing is learnt or put forward; interleaved mode gives the true time one
 * response later.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";

const GROUP = 4;
/** So slowly the lead follows groups that took longer. */
const RISE = 1 / 8;
/** What remains for a response that is not timed: it needs no packet for the timestamp. */
const UNTIMED = 0.7;
/** What takes longer was held up on the way. */
const TAKEN_MAX: Seconds = 100e-6;

/** Learns the lead of one kind of response. */
export class TransmitLead {
  #taken: Seconds = TAKEN_MAX;
  #quickest: Seconds = TAKEN_MAX;
  #count = 0;

  /** What timestamps are to be put forward by; 0 before the first group. */
  get seconds(): Seconds {
    return this.#taken === TAKEN_MAX ? 0 : UNTIMED * this.#taken;
  }

  /** Takes how long after the reading of the clock a response left. */
  learn(taken: Seconds): void {
    this.#quickest = Math.min(this.#quickest, Math.max(0, taken));
    this.#count++;
    if (this.#count < GROUP) return;
    const change = this.#quickest - this.#taken;
    this.#taken += change < 0 ? change : RISE * change;
    this.#quickest = TAKEN_MAX;
    this.#count = 0;
  }
}
