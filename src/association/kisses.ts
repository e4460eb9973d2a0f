/**
 * What a server asks for by a kiss-o'-death (RFC 5905 section 7.4): fewer requests, or none.
 *
 * The problem: a kiss without authentication may be forged by an observer of a request. The idea:
 * RATE lowers the rate, up to a bound; a denial ends a burst, and ends all requests only when it is
 * authenticated or nothing better has come for eight requests.
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import type { NtpHeader } from "../protocol/header.ts";
import type { Kiss } from "../protocol/kiss_code.ts";
import type { DroppedResponses } from "./dropped_responses.ts";
import type { PollTimer } from "./poll_timer.ts";

/** A kiss code with a meaning for the requests that follow. */
export type KissCode = "rate" | "deny" | "restrict";

/** What follows from a kiss. */
export interface KissEffect {
  /** Predicates of sentences for the administrator. */
  readonly warnings: readonly string[];
  /** Whether no request may follow. */
  readonly mustStop: boolean;
}

/** The kisses of one server. */
export class Kisses {
  readonly #timer: PollTimer;
  readonly #dropped: DroppedResponses;
  #last: KissCode | undefined = undefined;

  /** Takes what a kiss slows down, and where it is counted. */
  constructor(timer: PollTimer, dropped: DroppedResponses) {
    this.#timer = timer;
    this.#dropped = dropped;
  }

  /** The last one, until a proper response comes. */
  get last(): KissCode | undefined {
    return this.#last;
  }

  /** Whether the last one denies service. */
  get isDenial(): boolean {
    return this.#last === "deny" || this.#last === "restrict";
  }

  /** A proper response came. */
  clear(): void {
    this.#last = undefined;
  }

  /** Takes a kiss; `isBelieved` says whether a denial is to be obeyed for good. */
  take(
    kiss: Exclude<Kiss, "unsynchronized">,
    context: { readonly header: NtpHeader; readonly isBelieved: boolean },
  ): KissEffect {
    switch (kiss) {
      case "rate":
        return this.#takeRate(context.header);
      case "deny":
      case "restrict":
        return this.#takeDenial(kiss, context.isBelieved);
      case "nts-nak":
      case "unknown":
        this.#dropped.add("kiss-unknown");
        return { warnings: [], mustStop: false };
      default:
        return unreachable(kiss);
    }
  }

  #takeRate(header: NtpHeader): KissEffect {
    const isFirst = this.#dropped.add("kiss-rate") === 1;
    this.#last = "rate";
    this.#timer.slowDown(header.poll);
    const seconds = 2 ** this.#timer.poll;
    const warning = `asks for fewer requests; the interval is now ${seconds} s`;
    return { warnings: isFirst ? [warning] : [], mustStop: false };
  }

  #takeDenial(kiss: "deny" | "restrict", isBelieved: boolean): KissEffect {
    const isFirst = this.#dropped.add(`kiss-${kiss}`) === 1;
    this.#last = kiss;
    this.#timer.endBurst();
    const warnings = [
      ...(isFirst ? ["denies service"] : []),
      ...(isBelieved ? ["denies service and is no longer polled"] : []),
    ];
    return { warnings, mustStop: isBelieved };
  }
}
