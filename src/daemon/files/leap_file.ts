/**
 * Keeps the table of leap seconds: read at the start and after a reload, and once a day when the
 * file has changed, or every minute while it cannot be used.
 *
 * A file that is missing or damaged is said and not used; a table that was read from it before
 * stays in force then, because a file that is being replaced is no news about leap seconds. Whether
 * a table has expired the engine tells, which knows the time better than this machine's clock may;
 * one that has by the clock is a warning here, at every reading.
 *
 * @module
 */
import { err, type Result } from "../../base/result.ts";
import { formatDay, type LeapTable, parseLeapTable } from "../../engine/leap/leap_table.ts";
import type { Event } from "../../engine/events.ts";
import { fileStatus, readFile } from "../../../ffi/file/files.ts";
import { filesAnswer } from "./file_access.ts";
import { FunctionStates } from "../observability/function_states.ts";
import { nowSince1900 } from "../../system/clock_facts.ts";
import { log } from "../../system/log.ts";

const LOOK_MILLISECONDS = 60_000;
/** So many looks are a day. */
const LOOKS_IN_A_DAY = 1440;
/** The list has five thousand octets, most of them remarks. */
const FILE_MAX = 262_144;

/** The event that hands a table to the engine. */
export type LeapTableEvent = Extract<Event, { type: "leap-table" }>;

/** The file of leap seconds of a daemon, if it has one. */
export class LeapFile {
  #path: string | undefined;
  /**
   * What the file was like when it was last read; empty when it is to be read whatever it is like.
   */
  #seen = "";
  /** The figures in force, as text, so that only news reach the engine. */
  #inForce = "";
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #functions: FunctionStates;
  #hasFailed = false;
  #looks = 0;
  #work: Promise<void> = Promise.resolve();

  /** Touches no file yet. */
  constructor(functions: FunctionStates = new FunctionStates()) {
    this.#functions = functions;
  }

  /** Hands a new table to `deliver`, now and whenever there is one, until `stop`. */
  start(path: string | undefined, deliver: (event: LeapTableEvent) => void): void {
    this.follow(path, deliver);
    this.#timer = setInterval(() => {
      const isDue = ++this.#looks % LOOKS_IN_A_DAY === 0;
      if (isDue || this.#hasFailed) this.#then(() => this.#look(deliver));
    }, LOOK_MILLISECONDS);
  }

  /** Reads the file of a configuration that was reloaded, even if it has not changed. */
  follow(path: string | undefined, deliver: (event: LeapTableEvent) => void): void {
    this.#then(() => this.#follow(path, deliver));
  }

  /** Waits until what was begun is done. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Does one thing after the other. */
  #then(next: () => Promise<unknown>): void {
    this.#work = this.#work.then(async () => {
      await next();
    });
  }

  async #follow(
    path: string | undefined,
    deliver: (event: LeapTableEvent) => void,
  ): Promise<void> {
    const isOther = path !== this.#path;
    if (isOther) this.#functions.keepOnly("leap-seconds-file", []);
    this.#hasFailed &&= !isOther;
    this.#path = path;
    this.#seen = "";
    const before = this.#inForce;
    if (isOther) this.#inForce = "";
    const isRead = await this.#look(deliver);
    // What another file had said does not hold any more.
    if (isOther && before !== "" && !isRead) deliver({ type: "leap-table", table: undefined });
  }

  /** Reads the file if it has changed; tells whether a table was handed over. */
  async #look(deliver: (event: LeapTableEvent) => void): Promise<boolean> {
    if (this.#path === undefined || !await filesAnswer([this.#path])) return false;
    const found = fileStatus(this.#path);
    const mark = found.ok && found.value !== undefined
      ? `${found.value.inode} ${found.value.size} ${found.value.modified}`
      : "gone";
    if (mark === this.#seen) return false;
    const id = { kind: "leap-seconds-file", name: this.#path } as const;
    const table = readLeapFile(this.#path);
    this.#hasFailed = !table.ok;
    if (!table.ok) {
      this.#functions.down(id, table.error);
      return false;
    }
    this.#seen = mark;
    this.#functions.up(id);
    const figures = JSON.stringify(table.value);
    const isNew = figures !== this.#inForce;
    this.#inForce = figures;
    tell(this.#path, { table: table.value, isNew });
    if (!isNew) return false;
    deliver({ type: "leap-table", table: table.value });
    return true;
  }
}

/** Reads a table from a file; the error is a sentence. */
export function readLeapFile(path: string): Result<LeapTable, string> {
  const octets = readFile(path, FILE_MAX);
  if (!octets.ok) {
    return err(`${octets.error.message}; ntpsd goes on without a list of leap seconds`);
  }
  const table = parseLeapTable(new TextDecoder().decode(octets.value));
  return table.ok ? table : err(`The list of leap seconds ${path} is not used: ${table.error}`);
}

/**
 * Tells of a table that was read: that one has expired whenever it is read, the others when they
 * are new.
 */
function tell(
  path: string,
  { table, isNew }: { readonly table: LeapTable; readonly isNew: boolean },
): void {
  if (table.expiresAt <= nowSince1900()) {
    log.warning(`${describe(path, table)}, which is past by this clock; get a new list`);
  } else if (isNew) log.info(describe(path, table));
}

function describe(path: string, { entries, expiresAt }: LeapTable): string {
  const last = entries.at(-1);
  const since = last === undefined
    ? ""
    : `TAI - UTC is ${last.taiOffset} s from ${formatDay(last.at)} on, `;
  return `Leap seconds are read from ${path}: ${since}valid until ${formatDay(expiresAt)}`;
}
