/**
 * Which leap second is believed, when both the sources and a table of leap seconds may speak of it.
 *
 * The idea: the table, while it is valid, has the last word. On the day before one of its entries
 * the leap is announced even if no source does; a leap that sources announce for the end of this
 * month and that the table does not know is not believed. An expired table, or none, leaves the
 * word to the sources, but for the end of June and of December only: every leap second so far was
 * there, and one that is announced for another month is false. The offset of TAI is the table's
 * alone, even when it has expired, until a leap second is seen that it does not know. Limits: a
 * table that is valid and wrong is believed, and so is a majority of sources in June and December.
 *
 * @module
 */
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import type { NtpTimestamp } from "../../base/ntp_timestamp.ts";
import { type Seconds, SECONDS_PER_DAY } from "../../base/units.ts";
import {
  dayOf,
  entryAfter,
  entryAt,
  formatDay,
  leapBefore,
  type LeapEntry,
  type LeapTable,
  type SecondsSince1900,
} from "./leap_table.ts";
import type { Action } from "../events.ts";
import { secondsSince1900 } from "./leap_second.ts";

/** So long after an entry the clock may still be found to have made its leap. */
const AFTERMATH: Seconds = 2 * 3600 + 5;

/** Weighs what the sources announce against a table. */
export class LeapSchedule {
  #table: LeapTable | undefined;
  /** The entry whose leap was seen to happen. */
  #over: SecondsSince1900 | undefined;
  /**
   * Whether a leap happened that the table does not know, so that its TAI offset is no longer
   * right.
   */
  #outdated = false;
  #lastNotice = "";
  #toldExpiry = false;

  /** Takes a new table over, or none. */
  load(table: LeapTable | undefined): void {
    this.#table = table;
    this.#outdated = false;
    this.#toldExpiry = false;
  }

  /**
   * Returns the leap second that is believed to come, when the majority of the sources announces
   * `vote`.
   */
  announced(vote: LeapIndicator, now: NtpTimestamp): LeapIndicator {
    const seconds = secondsSince1900(now);
    const table = this.#valid(seconds);
    if (vote === "unknown") return vote;
    if (table === undefined) return isLeapMonth(seconds) ? vote : "none";
    const next = entryAfter(table, seconds);
    if (next === undefined) return "none";
    const leap = next.at === this.#over ? "none" : leapBefore(table, next) ?? "none";
    if (next.at - seconds <= SECONDS_PER_DAY) return leap;
    return vote === leap && isThisMonth(next, seconds) ? vote : "none";
  }

  /** Returns the leap second that is believed to come, or that may just have happened. */
  near(vote: LeapIndicator, now: NtpTimestamp): LeapIndicator {
    const announced = this.announced(vote, now);
    if (announced !== "none") return announced;
    const seconds = secondsSince1900(now);
    const table = this.#valid(seconds);
    if (table === undefined) return isLeapMonth(seconds - AFTERMATH) ? vote : announced;
    const entry = entryAt(table, seconds);
    if (entry === undefined || entry.at === this.#over) return announced;
    return seconds - entry.at <= AFTERMATH ? leapBefore(table, entry) ?? "none" : "none";
  }

  /** Returns TAI minus UTC; undefined when it is not known for certain. */
  taiOffset(now: NtpTimestamp): Seconds | undefined {
    if (this.#table === undefined || this.#outdated) return undefined;
    return entryAt(this.#table, secondsSince1900(now))?.taiOffset;
  }

  /** Notes that the clock made a leap around `now`. */
  happened(now: NtpTimestamp): void {
    const seconds = secondsSince1900(now);
    const entry = this.#table?.entries.find(({ at }) =>
      at - seconds <= 2 && seconds - at <= AFTERMATH
    );
    this.#over = entry?.at;
    this.#outdated = entry === undefined;
  }

  /**
   * Looks whether sources and table agree, at the best that is known of the time; each news is told
   * once.
   */
  compare(vote: LeapIndicator, best: NtpTimestamp): readonly Action[] {
    const seconds = secondsSince1900(best);
    const table = this.#table;
    if (table === undefined) return this.#monthNotice(vote, seconds);
    if (seconds >= table.expiresAt) {
      return [...this.#expiryNotice(table), ...this.#monthNotice(vote, seconds)];
    }
    const announced = this.announced(vote, best);
    const last = entryAt(table, seconds);
    const isJustOver = last !== undefined && seconds - last.at < SECONDS_PER_DAY;
    if (vote === announced || isJustOver) return [];
    return this.#notice(
      announced === "none"
        ? `The sources announce that a second will be ${participle(vote)}, but the table of leap ` +
          `seconds, valid until ${formatDay(table.expiresAt)}, lists none: they are not believed`
        : `The table of leap seconds says that a second will be ${participle(announced)} at the ` +
          `end of ${formatDay(seconds)}, but the sources do not announce it: the table is believed`,
    );
  }

  /** The table if what it says of the future still holds. */
  #valid(seconds: SecondsSince1900): LeapTable | undefined {
    return this.#table !== undefined && seconds < this.#table.expiresAt ? this.#table : undefined;
  }

  #expiryNotice(table: LeapTable): readonly Action[] {
    if (this.#toldExpiry) return [];
    this.#toldExpiry = true;
    const message =
      `The table of leap seconds expired on ${
        formatDay(table.expiresAt)
      }: its TAI offset is still ` +
      "used, but leap seconds are taken from the sources; install a new table, for example by updating tzdata";
    return [{ type: "log", level: "warning", message }];
  }

  /** Tells of a leap that cannot come; sources may be late in ending a true announcement. */
  #monthNotice(vote: LeapIndicator, seconds: SecondsSince1900): readonly Action[] {
    if (vote === "none" || vote === "unknown") return [];
    if (isLeapMonth(seconds) || isLeapMonth(seconds - SECONDS_PER_DAY)) return [];
    return this.#notice(
      `The sources announce in ${formatDay(seconds).slice(0, -3)} that a second will be ` +
        `${participle(vote)}: they are not believed, because without a valid table of leap ` +
        "seconds only announcements for the end of June and of December are accepted",
    );
  }

  #notice(message: string): readonly Action[] {
    if (message === this.#lastNotice) return [];
    this.#lastNotice = message;
    return [{ type: "log", level: "warning", message }];
  }
}

/** Tells whether the month of a moment may end with a leap second although no table says so. */
function isLeapMonth(now: SecondsSince1900): boolean {
  const { month } = dayOf(now);
  return month === 6 || month === 12;
}

/** Tells whether an entry takes force at the end of the month in which `now` is. */
function isThisMonth(entry: LeapEntry, now: SecondsSince1900): boolean {
  const monthOf = (moment: SecondsSince1900) => formatDay(moment).slice(0, -3);
  return monthOf(entry.at - 1) === monthOf(now);
}

function participle(leap: LeapIndicator): string {
  return leap === "delete" ? "deleted" : "inserted";
}
