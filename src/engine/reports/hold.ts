/**
 * How long something bad must last before the log tells of it.
 *
 * The problem: what comes and goes with every answer of a server would fill the log. The idea: the
 * first time is told at once; each further one has to last, twice as long each time; what ended
 * before is counted, and told with the next. Limits: some eight lines in the first hour, then one
 * an hour; twice as many where the end is told as well.
 *
 * @module
 */
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";

const HOLD_MIN: Seconds = 60;
const HOLD_MAX: Seconds = 3600;
/** Without a line for so long there is a clean record. */
const CALM: Seconds = 6 * 3600;

/** The record of one thing that can go wrong. */
export class Hold {
  #seconds: Seconds = 0;
  #toldAt: MonotonicSeconds = -Infinity;
  #brief = 0;

  /** Returns how long it has to last. */
  patience(now: MonotonicSeconds): Seconds {
    return now - this.#toldAt > CALM ? 0 : this.#seconds;
  }

  /** Notes that it ended before it was told. */
  noteBrief(): void {
    this.#brief++;
  }

  /**
   * Notes that it is told; returns what the line says at its end of those before, with a semicolon
   * in front, or nothing.
   */
  tell(now: MonotonicSeconds): string {
    this.#seconds = Math.min(HOLD_MAX, Math.max(HOLD_MIN, 2 * this.patience(now)));
    this.#toldAt = now;
    const brief = this.#brief;
    this.#brief = 0;
    return notLogged(brief, "shorter occurrence");
  }
}

/** Says how many things of a kind were not logged, with a semicolon in front; nothing if none. */
export function notLogged(count: number, kind: string): string {
  if (count === 0) return "";
  return count === 1
    ? `; 1 ${kind} before was not logged`
    : `; ${count} ${kind}s before were not logged`;
}

/**
 * Something that is bad or not, of which the beginning is told; where the end is told as well,
 * `isTold` is read before.
 */
export class Notice {
  readonly #hold = new Hold();
  #since: MonotonicSeconds | undefined;
  #isTold = false;

  /** Whether it is bad and was told. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /**
   * Looks at how it is; returns what the line has to say of earlier times when it is to be told
   * now, else undefined.
   */
  look(isBad: boolean, now: MonotonicSeconds): string | undefined {
    if (!isBad) {
      if (this.#since !== undefined && !this.#isTold) this.#hold.noteBrief();
      this.#since = undefined;
      this.#isTold = false;
      return undefined;
    }
    this.#since ??= now;
    if (this.#isTold || now - this.#since < this.#hold.patience(now)) return undefined;
    this.#isTold = true;
    return this.#hold.tell(now);
  }
}
