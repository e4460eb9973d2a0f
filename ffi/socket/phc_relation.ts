/**
 * The relation between an interface's clock (PHC) and real time, from readings of both.
 *
 * The idea: a straight line through the last reading and one that lies a tenth of a second or more
 * before it; the last one gives the offset, both give the rate. Limits: it trusts a reading for ten
 * seconds, and for ten milliseconds while it knows no rate; a step of either clock shows as an
 * impossible rate, and the line begins anew.
 *
 * @module
 */
import type { UnixNanoseconds } from "../../src/base/ntp_timestamp.ts";

/** Both clocks at one moment. */
export interface PhcReading {
  /** The interface's clock in nanoseconds of its own. */
  readonly hardware: bigint;
  /** Real time at that moment: the middle between the readings before and after. */
  readonly realtime: UnixNanoseconds;
  /** How long the reading took; the error is at most half of it. */
  readonly windowNanoseconds: number;
}

const BASELINE_MIN = 100_000_000;
const REACH = 10_000_000_000;
const REACH_WITHOUT_RATE = 10_000_000;
const RATE_MAX = 0.01;

/** A line through readings of two clocks. */
export class PhcRelation {
  #last: PhcReading | undefined;
  #base: PhcReading | undefined;
  #nextBase: PhcReading | undefined;
  #rate: number | undefined;

  /** Takes a reading into account. */
  add(reading: PhcReading): void {
    this.#last = reading;
    this.#base ??= reading;
    const elapsed = Number(reading.hardware - this.#base.hardware);
    if (elapsed < BASELINE_MIN) return;
    const rate = Number(reading.realtime - this.#base.realtime) / elapsed - 1;
    if (Math.abs(rate) > RATE_MAX) {
      this.reset();
      this.#last = this.#base = reading;
      return;
    }
    this.#rate = rate;
    this.#moveBase(reading);
  }

  /**
   * Converts a reading of the interface's clock; undefined when it is too far from the last reading
   * of both.
   */
  toRealtime(hardware: bigint): UnixNanoseconds | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const elapsed = Number(hardware - last.hardware);
    const reach = this.#rate === undefined ? REACH_WITHOUT_RATE : REACH;
    if (Math.abs(elapsed) > reach) return undefined;
    return last.realtime + BigInt(Math.round(elapsed * (1 + (this.#rate ?? 0))));
  }

  /** Forgets everything, because one of the clocks was set. */
  reset(): void {
    this.#last = undefined;
    this.#base = undefined;
    this.#nextBase = undefined;
    this.#rate = undefined;
  }

  /**
   * Lets the base follow, so that however often readings come it is old enough for a rate, and no
   * older than need be.
   */
  #moveBase(reading: PhcReading): void {
    if (this.#nextBase === undefined) {
      this.#nextBase = reading;
    } else if (reading.hardware - this.#nextBase.hardware >= BASELINE_MIN) {
      this.#base = this.#nextBase;
      this.#nextBase = reading;
    }
  }
}
