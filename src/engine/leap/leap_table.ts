/**
 * The table of leap seconds as IERS publishes it (leap-seconds.list): when UTC was and will be
 * shifted, and by how much TAI is ahead since.
 *
 * The idea: the text is used whole or not at all. It carries a SHA-1 digest of its own figures, at
 * its end, so that a file that was cut, mangled or edited is noticed; what the digest cannot tell
 * (dates that are none, offsets that jump) is checked by the sense it makes. Limits: the digest
 * finds damage, not forgery; what can write the file is trusted.
 *
 *     #$ 3960835200          last update, seconds since 1900-01-01 without leap seconds
 *     #@ 3991593600          the table is complete until then
 *     3692217600 37          from then on TAI - UTC is 37 s
 *     #h 49db2447 ...        the digest over all these digits, written one after the other
 *
 * @module
 */
import { toHex } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { type Seconds, SECONDS_PER_DAY } from "../../base/units.ts";
import { civilDate } from "../../base/utc.ts";
import { ERA_SECONDS, UNIX_EPOCH_IN_NTP_DAYS } from "../../base/epoch.ts";
import { digest } from "../../crypto/digest.ts";

/**
 * A moment in seconds since 1900-01-01 in UTC without leap seconds, eras counted through: exact far
 * beyond 2036.
 */
export type SecondsSince1900 = number;

/** From a moment on, TAI is so much ahead of UTC. */
export interface LeapEntry {
  /** The first second of the new offset: midnight on the first day of a month. */
  readonly at: SecondsSince1900;
  /** TAI minus UTC from then on, in whole seconds. */
  readonly taiOffset: Seconds;
}

/** A table of leap seconds. */
export interface LeapTable {
  /** In the order of time, at least one; each a second more or less than the one before. */
  readonly entries: readonly LeapEntry[];
  /** When the table was last changed. */
  readonly updatedAt: SecondsSince1900;
  /** Until when the table is known to be complete. */
  readonly expiresAt: SecondsSince1900;
}

/** No moment of the table lies before 1968, so smaller numbers are of the next era. */
const ERA_HALF: Seconds = 2 ** 31;
/** Nobody knows for longer when leap seconds will be; IERS says half a year. */
const VALID_MAX: Seconds = 10 * 366 * SECONDS_PER_DAY;
/** Far more than there will be in a thousand years. */
const TAI_OFFSET_MAX: Seconds = 1000;
/** A month from 1972 to 2100 could have one each; there were 27 in the first 50 years. */
const ENTRIES_MAX = 1600;
const DIGITS_MAX = 12;
const DIGEST_WORDS = 5;

/** Reads the text of a leap-seconds.list. The error goes on from "the file cannot be used: ". */
export function parseLeapTable(text: string): Result<LeapTable, string> {
  const draft = new Draft();
  for (const [i, line] of text.replace(/^\ufeff+/, "").split("\n").entries()) {
    const error = draft.takeLine(line.trimEnd());
    if (error !== undefined) return err(`line ${i + 1}: ${error}`);
  }
  return draft.finish();
}

/** Returns the entry that is in force at a moment; undefined before the first. */
export function entryAt(table: LeapTable, now: SecondsSince1900): LeapEntry | undefined {
  return table.entries.findLast(({ at }) => at <= now);
}

/** Returns the next entry after a moment; undefined when none is known. */
export function entryAfter(table: LeapTable, now: SecondsSince1900): LeapEntry | undefined {
  return table.entries.find(({ at }) => at > now);
}

/**
 * Tells whether a second is inserted or deleted just before an entry; undefined for the first,
 * which is no leap.
 */
export function leapBefore(table: LeapTable, entry: LeapEntry): "insert" | "delete" | undefined {
  const before = entryAt(table, entry.at - 1);
  if (before === undefined) return undefined;
  return entry.taiOffset > before.taiOffset ? "insert" : "delete";
}

/** Returns the day of a moment. */
export function dayOf(moment: SecondsSince1900): ReturnType<typeof civilDate> {
  return civilDate(Math.floor(moment / SECONDS_PER_DAY) - UNIX_EPOCH_IN_NTP_DAYS);
}

/** Writes the day of a moment: "2026-12-28". */
export function formatDay(moment: SecondsSince1900): string {
  const { year, month, day } = dayOf(moment);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
}

/** What is collected line by line. */
class Draft {
  #updated: string | undefined;
  #expires: string | undefined;
  #digest: string | undefined;
  readonly #entries: { readonly at: string; readonly taiOffset: string }[] = [];

  /** Takes one line; returns what is wrong with it. */
  takeLine(line: string): string | undefined {
    const mark = line.slice(0, 2), rest = line.slice(2).trim();
    if (mark === "#h") return this.#takeDigest(rest);
    if (mark === "#$" || mark === "#@") return this.#takeMoment(mark, rest);
    return line.startsWith("#") || line.trim() === "" ? undefined : this.#takeEntry(line);
  }

  /** Returns the table if it is complete, intact and makes sense. */
  finish(): Result<LeapTable, string> {
    const updated = this.#updated, expires = this.#expires;
    if (updated === undefined) return err('there is no line "#$" with the last update');
    if (expires === undefined) return err('there is no line "#@" with the expiry date');
    if (this.#entries.length === 0) return err("there is no entry");
    if (this.#digest === undefined) {
      return err('there is no line "#h" with the digest: the file may be cut off');
    }
    const found = this.#digestOf(updated + expires);
    if (found !== this.#digest) {
      return err(`it is damaged: wanted the SHA-1 digest ${this.#digest}, found ${found}`);
    }
    const entries = this.#entries.map(({ at, taiOffset }) => ({
      at: moment(at),
      taiOffset: Number(taiOffset),
    }));
    return checkSense({ entries, updatedAt: moment(updated), expiresAt: moment(expires) });
  }

  #takeMoment(mark: "#$" | "#@", text: string): string | undefined {
    const known = mark === "#$" ? this.#updated : this.#expires;
    if (known !== undefined) return "this line occurs a second time";
    if (!/^\d+$/.test(text) || text.length > DIGITS_MAX) {
      return "wanted a number of seconds, found something else";
    }
    if (mark === "#$") this.#updated = text;
    else this.#expires = text;
    return undefined;
  }

  /**
   * The digest is written as five words; some writers leave out the zeros at the beginning of a
   * word.
   */
  #takeDigest(text: string): string | undefined {
    if (this.#digest !== undefined) return "this line occurs a second time";
    const words = text.split(/\s+/);
    if (words.length !== DIGEST_WORDS || !words.every((word) => /^[0-9a-fA-F]{1,8}$/.test(word))) {
      return `wanted a digest of ${DIGEST_WORDS} hexadecimal words, found something else`;
    }
    this.#digest = words.map((word) => word.toLowerCase().padStart(8, "0")).join("");
    return undefined;
  }

  #takeEntry(line: string): string | undefined {
    const [, at, taiOffset] = /^\s*(\d+)\s+(\d+)\s*(?:#.*)?$/.exec(line) ?? [];
    if (at === undefined || taiOffset === undefined) {
      return "wanted a time and an offset as in leap-seconds.list, found something else";
    }
    if (at.length > DIGITS_MAX || taiOffset.length > DIGITS_MAX) return "a number is too long";
    if (this.#entries.length >= ENTRIES_MAX) return `wanted at most ${ENTRIES_MAX} entries`;
    this.#entries.push({ at, taiOffset });
    return undefined;
  }

  #digestOf(head: string): string {
    const digits = head + this.#entries.map(({ at, taiOffset }) => at + taiOffset).join("");
    return toHex(digest("SHA1", new TextEncoder().encode(digits)));
  }
}

function moment(digits: string): SecondsSince1900 {
  const seconds = Number(digits);
  return seconds < ERA_HALF ? seconds + ERA_SECONDS : seconds;
}

/** Refuses a table that is intact and yet cannot be one of leap seconds. */
function checkSense(table: LeapTable): Result<LeapTable, string> {
  let before: LeapEntry | undefined;
  for (const entry of table.entries) {
    const { at, taiOffset } = entry;
    if (at % SECONDS_PER_DAY !== 0 || !formatDay(at).endsWith("-01")) {
      return err(`wanted entries at the beginning of a month, found ${at}`);
    }
    if (taiOffset > TAI_OFFSET_MAX) {
      return err(`wanted offsets of at most ${TAI_OFFSET_MAX} s, found ${taiOffset}`);
    }
    if (before !== undefined && at <= before.at) {
      return err(`wanted entries in ascending order, found ${at} after ${before.at}`);
    }
    if (before !== undefined && Math.abs(taiOffset - before.taiOffset) !== 1) {
      return err(`wanted steps of one second, found ${taiOffset} after ${before.taiOffset}`);
    }
    before = entry;
  }
  if (table.expiresAt <= table.updatedAt) return err("wanted an expiry date after the last update");
  if (table.expiresAt - table.updatedAt > VALID_MAX) {
    return err("wanted an expiry date within ten years of the last update");
  }
  return ok(table);
}
