/**
 * The log: sentences on standard error, for a terminal or for the journal.
 *
 * The problem: what outsiders can cause must not fill the disk, and what they send must not look
 * like a line of ours. The idea: control characters are replaced where the line is written;
 * messages that others can cause go through a `LogLimiter`, which tells the first and then counts.
 * Lines never make the daemon wait, and those that are not read in time are counted. Limits: the
 * end of the log may be lost with a process that is killed.
 *
 * @module
 */
import { configureSync, getLogger, type LogRecord } from "@logtape/logtape";
import { LineQueue } from "../../ffi/process/standard_streams.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import { visibleText } from "../base/visible_text.ts";
import type { LogLevel } from "../config/config.ts";

/** How and where the log is written. */
export interface LogOptions {
  /** The least important level that is written. */
  readonly level: LogLevel;
  /**
   * Whether the journal reads standard error (JOURNAL_STREAM is set): it adds the time itself and
   * wants a priority.
   */
  readonly journal: boolean;
  /** Writes one line, end of line included; standard error when left out. */
  write?(line: string): void;
}

/** Writes sentences of some importance. */
export interface Log {
  /** What only a developer wants. */
  trace(message: string): void;
  /** What helps to find out why something is as it is. */
  debug(message: string): void;
  /** What an administrator wants to know once. */
  info(message: string): void;
  /** What an administrator should look into. */
  warning(message: string): void;
  /** What keeps the daemon from doing its work. */
  error(message: string): void;
}

const CATEGORY = "ntpsd";

/** Sets the log up, or sets it up anew after a change of level. */
export function configureLog(options: LogOptions): void {
  style = options;
  const write = options.write ?? ((line: string) => lines.write(line));
  configureSync({
    reset: true,
    sinks: { lines: (record) => write(formatRecord(record, options.journal)) },
    loggers: [
      { category: CATEGORY, lowestLevel: options.level, sinks: ["lines"] },
      // The library's remarks about itself matter only if something is wrong.
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
  });
}

/** The log of the daemon. */
export const log: Log = {
  trace: (message) => getLogger(CATEGORY).trace("{message}", { message }),
  debug: (message) => getLogger(CATEGORY).debug("{message}", { message }),
  info: (message) => getLogger(CATEGORY).info("{message}", { message }),
  warning: (message) => getLogger(CATEGORY).warning("{message}", { message }),
  error: (message) => getLogger(CATEGORY).error("{message}", { message }),
};

/** How long a repeated message stays quiet at first; each further silence is twice as long. */
const QUIET_FIRST: Seconds = 60;
/** The longest silence. */
const QUIET_MAX: Seconds = 6 * 3600;
/** How many kinds of messages are told apart unless said otherwise. */
const KINDS_MAX = 512;
/**
 * A kind that has not come again this long after its silence may be forgotten when room is needed.
 */
const FORGET_AFTER: Seconds = 3600;

interface Kind {
  quietUntil: MonotonicSeconds;
  quiet: Seconds;
  /** How many were kept back. */
  count: number;
}

/**
 * Tells the first message of a kind at once, and then only now and then how many more there were.
 * Of 512 kinds it keeps account; while none of them can be forgotten, all others count as one, so
 * that even ever new kinds make few lines. A party that can make ever new kinds has a limiter of
 * its own, or it would hide what is told of others.
 */
export class LogLimiter {
  readonly #kinds = new Map<string, Kind>();
  readonly #kindsMax: number;
  #nextSweep: MonotonicSeconds = 0;

  /** Makes a limiter that keeps account of so many kinds. */
  constructor(kindsMax: number = KINDS_MAX) {
    this.#kindsMax = kindsMax;
  }

  /**
   * Returns the message to log, perhaps with a count of those that were kept back; undefined if it
   * is to be kept back. Its kind is the message itself unless said otherwise.
   */
  pass(
    message: string,
    { now, kind = message }: { readonly now: MonotonicSeconds; readonly kind?: string },
  ): string | undefined {
    const key = this.#kinds.has(kind) || this.#hasRoom(now) ? kind : "";
    const entry = this.#kinds.get(key);
    if (entry === undefined) {
      this.#kinds.set(key, { quietUntil: now + QUIET_FIRST, quiet: QUIET_FIRST, count: 0 });
      return message;
    }
    if (now < entry.quietUntil) {
      entry.count++;
      return undefined;
    }
    const { count } = entry;
    // A kind that has been silent by itself for long begins anew.
    const isFresh = now - entry.quietUntil > QUIET_MAX;
    entry.quiet = isFresh ? QUIET_FIRST : Math.min(QUIET_MAX, entry.quiet * 2);
    entry.quietUntil = now + entry.quiet;
    entry.count = 0;
    return count === 0 ? message : `${message} (and ${count} more like it since the last time)`;
  }

  /**
   * Makes room for one more kind if it can; it looks only now and then, so that a flood costs
   * nothing.
   */
  #hasRoom(now: MonotonicSeconds): boolean {
    if (this.#kinds.size < this.#kindsMax) return true;
    if (now < this.#nextSweep) return false;
    this.#nextSweep = now + QUIET_FIRST;
    for (const [key, { quietUntil }] of this.#kinds) {
      if (now - quietUntil > FORGET_AFTER) this.#kinds.delete(key);
    }
    return this.#kinds.size < this.#kindsMax;
  }
}

/** The numbers of syslog, as the journal reads them at the start of a line (sd-daemon(3)). */
const PRIORITIES: Readonly<Record<LogRecord["level"], number>> = {
  trace: 7,
  debug: 7,
  info: 6,
  warning: 4,
  error: 3,
  fatal: 2,
};

function formatRecord(record: LogRecord, journal: boolean): string {
  const { level, timestamp } = record;
  return formatLine({ level, timestamp, text: record.message.map(String).join(""), journal });
}

/** A line of the log. */
export interface Line {
  /** How bad it is. */
  readonly level: LogRecord["level"];
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** A sentence. */
  readonly text: string;
  /** Whether the journal reads it. */
  readonly journal: boolean;
}

/**
 * Writes a line with its end; whatever the sentence holds, it is one line of visible characters.
 */
export function formatLine({ level, timestamp, text, journal }: Line): string {
  if (journal) return `<${PRIORITIES[level]}>${visibleText(text)}\n`;
  return `${new Date(timestamp).toISOString()} ${level}: ${visibleText(text)}\n`;
}

const STANDARD_ERROR = 2;

/** How lines are written; that of lost ones is written as it is set up at that moment. */
let style: Pick<LogOptions, "journal"> = { journal: false };

const lines = new LineQueue(STANDARD_ERROR, {
  lostLine(count) {
    const lost = count === 1 ? "1 line of the log was lost" : `${count} lines of the log were lost`;
    const text = `${lost}, because standard error was not read in time`;
    return formatLine({ level: "warning", timestamp: Date.now(), text, journal: style.journal });
  },
});

/** Waits until the log is written, so long at most; a reader that is slower loses its end. */
export async function drainLog(milliseconds: number): Promise<void> {
  await lines.settled(milliseconds);
}

/**
 * Writes what is still in line, as far as that needs no waiting; for a process that ends in haste.
 */
export function flushLog(): void {
  lines.flushNow();
}
