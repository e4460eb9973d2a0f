/**
 * A source as selection sees it.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { Doubt } from "./doubt.ts";

/** Why a time cannot be. */
export interface Contradiction {
  /**
   * It lies before one that has certainly passed, or outside of what the source itself may tell.
   */
  readonly kind: "past" | "outside-own-certificate";
  /** The sentence that says so. */
  readonly reason: string;
}

/** What is known of one source. */
export interface Candidate {
  /** Names the source in the outcome, and decides where all else is equal. */
  readonly id: number;
  /** How sentences call it. */
  readonly name: string;
  /** The estimated offset now, positive when the server is ahead. */
  readonly offset: Seconds;
  /** One standard deviation of it. */
  readonly uncertainty: Seconds;
  /** The largest error that it may have: the true offset is claimed to lie within so much of it. */
  readonly rootDistance: Seconds;
  /** How much its samples differ from one another. */
  readonly jitter: Seconds;
  /** What the server says, 0 to 255. */
  readonly stratum: number;
  /** Whether any of the last eight requests was answered. */
  readonly isReachable: boolean;
  /** How many requests in a row had no response. */
  readonly unanswered: number;
  /** Why they had none, a sentence, if that is known; left out or undefined when it is not. */
  readonly silence?: string | undefined;
  /** Whether the server says that it has the time. */
  readonly isSynchronized: boolean;
  /** Whether its time is our own, see `loop.ts`. */
  readonly isLoop: boolean;
  /** Whether it refuses us. */
  readonly isDenied: boolean;
  /** How many samples the estimate rests on. */
  readonly samples: number;
  /** Whether it is only watched. */
  readonly noSelect: boolean;
  /** Whether it is used rather than those that are not preferred. */
  readonly prefer: boolean;
  /** Whether it outvotes those that are not trusted. */
  readonly trust: boolean;
  /** Whether it, or another such source, must be among those that agree. */
  readonly require: boolean;
  /** Why the time that it tells cannot be; left out or undefined when it can. */
  readonly contradiction?: Contradiction | undefined;
  /** How often handling it went wrong inside ntpsd, if that is why it is left out; else 0. */
  readonly faults?: number;
  /**
   * What its server is known by: two sources that share any of these ask the same server. None: no
   * other source asks it.
   */
  readonly identities?: readonly string[];
  /** Whether its packets prove who sent them. */
  readonly isAuthenticated: boolean;
  /** What the selection before this one found against it; left out or undefined for nothing. */
  readonly doubt?: Doubt | undefined;
}
