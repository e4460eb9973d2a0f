/**
 * What is known of leap seconds, and how it is shown.
 *
 * @module
 */
import {
  entryAfter,
  entryAt,
  formatDay,
  leapBefore,
  type LeapTable,
  type SecondsSince1900,
} from "../../engine/leap/leap_table.ts";
import { SECONDS_PER_DAY } from "../../base/units.ts";
import type { ClockFacts } from "../../system/clock_facts.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { plain } from "../display/style.ts";

/** What was found. */
export interface LeapReport {
  /** The file of the table; undefined if none is named. */
  readonly file: string | undefined;
  /** Its table; undefined if there is none that can be used. */
  readonly table: LeapTable | undefined;
  /** Why there is none, in a sentence; undefined if there is one. */
  readonly error: string | undefined;
  /** The clock. */
  readonly clock: ClockFacts;
  /** What the daemon believes; undefined if none answers. */
  readonly daemon: StatusDocument["leap"] | undefined;
  /** Why the daemon that was named does not answer; undefined if none was named, or it does. */
  readonly silence: string | undefined;
}

/** Whether there is a table that covers the time of the clock. */
export function isComplete({ table, clock }: LeapReport): boolean {
  return table !== undefined && table.expiresAt > clock.secondsSince1900;
}

/** The document of `--json`. */
export function leapDocument(report: LeapReport): Readonly<Record<string, unknown>> {
  const { file, table, error, clock, daemon } = report, now = clock.secondsSince1900;
  const next = table && entryAfter(table, now);
  return {
    file: file ?? null,
    error: error ?? null,
    updated: table === undefined ? null : formatDay(table.updatedAt),
    expires: table === undefined ? null : formatDay(table.expiresAt),
    complete: isComplete(report),
    taiOffsetSeconds: (table && entryAt(table, now)?.taiOffset) ?? null,
    next: table === undefined || next === undefined
      ? null
      : { date: dayBefore(next.at), leap: leapBefore(table, next) },
    kernel: clock.kernel ?? null,
    daemon: daemon ?? null,
  };
}

/** The lines for a person. */
export function leapLines(report: LeapReport): readonly string[] {
  const { file = "", table, error = "", clock, daemon, silence = "" } = report;
  const ofTable: readonly Line[] = table === undefined ? [["Table", plain(error)]] : [
    ["Table", plain(file)],
    validityOf(table, clock.secondsSince1900),
    ["Last", lastOf(table, clock.secondsSince1900)],
    ["Next", nextOf(table, clock.secondsSince1900)],
  ];
  const told = daemon === undefined ? plain(silence) : DAEMON[daemon];
  const ofDaemon: readonly Line[] = told === "" ? [] : [["Daemon", told]];
  return [...ofTable, ["Kernel", kernelOf(clock, table)] as const, ...ofDaemon]
    .map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${text}`);
}

type Line = readonly [label: string, text: string];

const LABEL_WIDTH = 13;

const DAEMON: Readonly<Record<StatusDocument["leap"], string>> = {
  none: "no leap second is to come",
  insert: "a second will be inserted at the end of the day (UTC)",
  delete: "a second will be deleted at the end of the day (UTC)",
  unknown: "the clock is not synchronised",
};

function validityOf({ expiresAt }: LeapTable, now: SecondsSince1900): Line {
  const day = formatDay(expiresAt);
  const days = Math.floor(Math.abs(expiresAt - now) / SECONDS_PER_DAY);
  const span = `${days} day${days === 1 ? "" : "s"}`;
  return expiresAt > now
    ? ["Valid until", `${day}, for ${span}`]
    : ["Expired on", `${day}, ${span} ago; update its package, or renew it with --fetch`];
}

function lastOf(table: LeapTable, now: SecondsSince1900): string {
  const entry = entryAt(table, now);
  if (entry === undefined) return "none before now";
  const leap = leapBefore(table, entry);
  const offset = `TAI - UTC is ${entry.taiOffset} s since`;
  return leap === undefined
    ? `none; ${offset} ${formatDay(entry.at)}`
    : `a second was ${PAST[leap]} at the end of ${dayBefore(entry.at)}; ${offset}`;
}

function nextOf(table: LeapTable, now: SecondsSince1900): string {
  const entry = entryAfter(table, now);
  const leap = entry && leapBefore(table, entry);
  return entry === undefined || leap === undefined
    ? "none is announced"
    : `a second will be ${PAST[leap]} at the end of ${dayBefore(entry.at)}`;
}

const PAST = { insert: "inserted", delete: "deleted" } as const;

function kernelOf(
  { kernel, secondsSince1900 }: ClockFacts,
  table: LeapTable | undefined,
): string {
  if (kernel === undefined) return "cannot be asked";
  const { taiOffsetSeconds, leap } = kernel;
  const armed = leap === "none"
    ? "no leap second today"
    : `a second will be ${PAST[leap]} at the end of this day`;
  if (taiOffsetSeconds === 0) return `TAI - UTC is not set, ${armed}`;
  const wanted = table && entryAt(table, secondsSince1900)?.taiOffset;
  const wrong = wanted !== undefined && wanted !== taiOffsetSeconds
    ? ` (the table says ${wanted} s)`
    : "";
  return `TAI - UTC is ${taiOffsetSeconds} s${wrong}, ${armed}`;
}

/** The day whose last minute is longer or shorter. */
function dayBefore(at: SecondsSince1900): string {
  return formatDay(at - 1);
}
