/**
 * Whether the machine stood still: its hardware clock says so, and the sources have to confirm it.
 *
 * The problem: a machine that was paused finds all sources ahead, which is what a lie of all of
 * them looks like; and a hardware clock may jump because somebody set it. The idea: only both
 * together are believed. The hardware clock tells how much is missing, and when most of the sources
 * that answer show the same, the clock has lost its time as in a suspend. Limits: a machine without
 * a hardware clock that runs on is never known to have stood still.
 *
 * @module
 */
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { AssociationId } from "../events.ts";

/** So long the sources have to confirm it. */
const CONFIRMED_WITHIN: Seconds = 300;
/** A hardware clock counts whole seconds, and it and the sources are read one after the other. */
const DIFFERENCE_MAX: Seconds = 3;

/** What one source shows. */
export interface Confirmation {
  /** The source. */
  readonly id: AssociationId;
  /** Positive when the source is ahead. */
  readonly offset: Seconds;
  /** How many sources answer. */
  readonly reachable: number;
}

/** Remembers a time that may be missing. */
export class StandstillSuspicion {
  #seconds: Seconds = 0;
  #until: MonotonicSeconds = -Infinity;
  readonly #confirmedBy = new Set<AssociationId>();

  /** Takes what the hardware clock says is missing. */
  suspect(seconds: Seconds, now: MonotonicSeconds): void {
    this.#seconds = seconds;
    this.#until = now + CONFIRMED_WITHIN;
    this.#confirmedBy.clear();
  }

  /** Whether a time may be missing, and sources are to confirm it. */
  isSuspected(now: MonotonicSeconds): boolean {
    return now <= this.#until;
  }

  /** Takes what a source shows; returns the missing time when most of them confirm it, once. */
  confirm(
    { id, offset, reachable }: Confirmation,
    now: MonotonicSeconds,
  ): Seconds | undefined {
    if (!this.isSuspected(now) || Math.abs(offset - this.#seconds) > DIFFERENCE_MAX) {
      return undefined;
    }
    this.#confirmedBy.add(id);
    if (2 * this.#confirmedBy.size <= reachable) return undefined;
    this.#until = -Infinity;
    return this.#seconds;
  }
}
