/**
 * Tells the log what time is followed, and when there is none, in pairs.
 *
 * The problem: a server that changes what it says of itself with each answer takes the time away
 * and gives it back as often as it is asked, and must not fill the log. The idea: that there is
 * none to follow is told at once the first time, and has to last longer each further time
 * (`hold.ts`). That none answers is left to `SourceReports`: one cause is one line; when some
 * answer again, the others have a while to follow. A return is told when the loss was. A change
 * from one reference to another is told now and then.
 *
 * @module
 */
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { Action } from "../events.ts";
import { Hold } from "./hold.ts";

/** A change of the reference from one source to another is told at most this often. */
const NOTICE_INTERVAL: Seconds = 600;
/**
 * A start or an end of silence without a time to follow is told after so long, because sources may
 * still come.
 */
const RETURN_PATIENCE: Seconds = 60;
/** When all have come, their next responses may still bring them together. */
const DISAGREEMENT_PATIENCE: Seconds = 10;

/** What is followed. */
export interface Followed {
  /** The moment. */
  readonly now: MonotonicSeconds;
  /** The source that leads; none when there is no time to follow. */
  readonly leader: { readonly id: number; readonly name: string } | undefined;
  /** Why there is none, a sentence. */
  readonly reason: string;
  /** Whether every source has been measured, so that none is waited for. */
  readonly isComplete: boolean;
  /** Whether no source answers any more, which `SourceReports` tells; not so when left out. */
  readonly isSilence?: boolean;
}

/** Follows the reference. */
export class ReferenceReports {
  /** What the log says. */
  #told: "nothing" | "none" | number = "nothing";
  #leaderToldAt: MonotonicSeconds = -Infinity;
  #lostSince: MonotonicSeconds | undefined;
  #isSilent = false;
  /** When some answered again after a silence of all. */
  #answersSince: MonotonicSeconds = -Infinity;
  readonly #hold = new Hold();

  /**
   * Whether the log says why there is none, or says nothing of a loss because that came back again
   * and again.
   */
  get isLossKnown(): boolean {
    return this.#lostSince !== undefined && this.#told !== "nothing";
  }

  /** Looks at what is followed; to be called after each decision. */
  look(followed: Followed): readonly Action[] {
    const { now, leader } = followed;
    if (leader === undefined) return this.#lost(followed);
    if (this.#lostSince !== undefined && typeof this.#told === "number") this.#hold.noteBrief();
    this.#lostSince = undefined;
    this.#isSilent = false;
    const isReturn = typeof this.#told !== "number";
    if (!isReturn && (leader.id === this.#told || now - this.#leaderToldAt < NOTICE_INTERVAL)) {
      return [];
    }
    this.#told = leader.id;
    this.#leaderToldAt = now;
    return [{ type: "log", level: "info", message: `The reference is now ${leader.name}` }];
  }

  #lost({ now, reason, isComplete, isSilence = false }: Followed): readonly Action[] {
    this.#lostSince ??= now;
    // nothing is decided during a silence, so its end is what counts
    if (this.#isSilent && !isSilence) this.#answersSince = now;
    this.#isSilent = isSilence;
    if (isSilence || now - this.#answersSince < RETURN_PATIENCE) return [];
    if (this.#told === "none") return [];
    const first = isComplete ? DISAGREEMENT_PATIENCE : RETURN_PATIENCE;
    const patience = this.#told === "nothing" ? first : this.#hold.patience(now);
    if (now - this.#lostSince < patience) return [];
    this.#told = "none";
    const often = this.#hold.tell(now);
    return [{ type: "log", level: "warning", message: `No time to follow: ${reason}${often}` }];
  }
}
