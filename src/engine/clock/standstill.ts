/**
 * Whether the machine stood still: its hardware clock says so, and the sources have to confirm it.
 *
 * The problem: a machine that was paused finds all sources ahead, which is what a lie of all of
 * them looks like; and a hardware clock may jump because somebody set it. The idea: only both
 * together are believed. The hardware clock tells how much is missing, and when the sources show
 * that their distance has grown by as much, the clock has lost its time as in a suspend. What is
 * missing adds up until the sources answer, however late, and what they are expected to show
 * follows every change of the clock from outside. Limits: a machine without a hardware clock that
 * runs on is never known to have stood still; who is asked is `standstill_survey.ts`'s affair.
 *
 * All offsets are those of the free-running clock: no correction by ntpsd changes them.
 *
 * @module
 */
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { AssociationId } from "../events.ts";

/** A hardware clock counts whole seconds: what it says is missing each time is that much wrong. */
const GRAIN: Seconds = 1;
/** It and the sources are read one after the other. */
const DIFFERENCE_MAX: Seconds = 2;

/** What one exchange with a source shows. */
export interface Answer {
  /** Positive when the source is ahead. */
  readonly offset: Seconds;
  /** The round trip. */
  readonly delay: Seconds;
  /** When the request left. */
  readonly sentAt: MonotonicSeconds;
}

/** The newest answer of a source, and how many there were. */
export interface CountedAnswer extends Answer {
  /** Since the suspicion, this one included. */
  readonly count: number;
}

/** Remembers a time that may be missing, and what the sources say since. */
export class StandstillSuspicion {
  #missing: Seconds = 0;
  /** How much of that may be wrong. */
  #error: Seconds = 0;
  /** What the sources are expected to show since the clock was changed and nothing estimated. */
  #expected: Seconds = 0;
  #since: MonotonicSeconds = Infinity;
  readonly #answers = new Map<AssociationId, CountedAnswer>();

  /** Whether a time may be missing, and the sources are to confirm it. */
  get isSuspected(): boolean {
    return this.#missing > 0;
  }

  /** The newest answer of each source to a request from after the suspicion. */
  get answers(): ReadonlyMap<AssociationId, CountedAnswer> {
    return this.#answers;
  }

  /** Takes what the hardware clock says is missing, besides what it said before. */
  suspect(missing: Seconds, now: MonotonicSeconds): void {
    this.#missing += missing;
    this.#error += GRAIN;
    this.askAnew(now);
  }

  /** Takes only answers to requests from now on. */
  askAnew(now: MonotonicSeconds): void {
    this.#since = now;
    this.#answers.clear();
  }

  /**
   * Follows a change of the clock from outside by `gained`; `known` is the estimate before it,
   * undefined while there is none since the last such change.
   */
  clockChanged(
    gained: Seconds,
    { known, now }: { readonly known: Seconds | undefined; readonly now: MonotonicSeconds },
  ): void {
    this.#expected = (known ?? this.#expected) - gained;
    this.askAnew(now);
  }

  /** Takes an answer; tells whether it can show what is missing. */
  answered(id: AssociationId, answer: Answer): boolean {
    if (!this.isSuspected || answer.sentAt < this.#since) return false;
    const count = (this.#answers.get(id)?.count ?? 0) + 1;
    this.#answers.set(id, { ...answer, count });
    return true;
  }

  /**
   * Tells whether the missing time explains the offset that sources show, and better than that none
   * is missing; `known` is the estimate from before it, if there is one.
   */
  explains(shown: Seconds, known: Seconds | undefined): boolean {
    const grown = shown - (known ?? this.#expected);
    const difference = Math.abs(grown - this.#missing);
    const isBetter = difference < Math.abs(grown);
    return this.isSuspected && isBetter && difference <= DIFFERENCE_MAX + this.#error;
  }

  /** Ends the suspicion; returns the time that is missing, undefined when that explains nothing. */
  end(shown: Seconds, known: Seconds | undefined): Seconds | undefined {
    const missing = this.explains(shown, known) ? this.#missing : undefined;
    this.#missing = 0;
    this.#error = 0;
    this.#answers.clear();
    return missing;
  }
}
