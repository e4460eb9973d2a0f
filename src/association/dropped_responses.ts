/**
 * What became of responses that were not used, counted by reason, and whether they explain a
 * silence.
 *
 * The problem: a server whose responses are all dropped looks like one that is silent, and the
 * administrator searches in the wrong place. The idea: beside the counts of all times, those since
 * the last good response are kept, and make a sentence. Limits: what a stranger off the path can
 * send (whatever does not repeat our random number) is counted and shown, but is no news by itself.
 *
 * @module
 */
import { ReasonCounter } from "../base/reason_counter.ts";
import type { DropReason } from "./drop_reason.ts";

/** The sender of these need not have seen the request. */
const FROM_OFF_PATH: ReadonlySet<string> = new Set<DropReason>([
  "unexpected",
  "origin",
  "too-short",
]);

/** Responses of one server that were dropped. */
export class DroppedResponses {
  readonly #total = new ReasonCounter<DropReason>();
  #recent = new ReasonCounter<DropReason>();
  #last: DropReason | undefined = undefined;

  /** Counts one; returns how many there were of this reason. */
  add(reason: DropReason): number {
    this.#last = reason;
    this.#recent.add(reason);
    return this.#total.add(reason);
  }

  /** A good response came: what was dropped before explains nothing any more. */
  noteGood(): void {
    if (!this.#recent.isEmpty) this.#recent = new ReasonCounter();
  }

  /** How many there were of each reason. */
  snapshot(): Readonly<Record<string, number>> {
    return this.#total.snapshot();
  }

  /** How many there were. */
  total(): number {
    return this.#total.total();
  }

  /** The reason of the newest; undefined when there was none. */
  get last(): DropReason | undefined {
    return this.#last;
  }

  /**
   * Says what was dropped since the last good response: "version (6)"; undefined when nothing was.
   */
  get recent(): string | undefined {
    if (this.#recent.isEmpty) return undefined;
    const entries = Object.entries(this.#recent.snapshot()).sort(([, a], [, b]) => b - a);
    return entries.map(([reason, count]) => `${reason} (${count})`).join(", ");
  }

  /**
   * The reasons since the last good response for which the server itself, or a host on the path,
   * must have sent something.
   */
  get recentReasons(): readonly string[] {
    return Object.keys(this.#recent.snapshot()).filter((reason) => !FROM_OFF_PATH.has(reason));
  }
}
