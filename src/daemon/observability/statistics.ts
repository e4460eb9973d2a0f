/**
 * Writes what was measured and what the clock did into files, for plots and for looking back.
 *
 * The idea: after each event the status is looked at, and a line is written for every source that
 * has a new sample and for every update of the clock. Files are named by the day, as
 * `measurements-20261122.log`, and those older than 30 days are removed, so that a disk cannot fill
 * up by them; but only by a clock that is known to be right, because one that wakes up in another
 * year would remove them all. Writing is done in the background; what cannot be written, or not in
 * time, is lost, and a minute later it is tried again. Limits: nothing is flushed.
 *
 * @module
 */
import type { OsError } from "../../../ffi/errno.ts";
import {
  appendToFileInBackground,
  fileStatusInBackground,
  makeDirectoryInBackground,
  removeFileInBackground,
} from "../../../ffi/file/files.ts";
import type { UnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { Result } from "../../base/result.ts";
import { NANOSECONDS_PER_DAY, type Seconds } from "../../base/units.ts";
import { formatUtc } from "../../base/utc.ts";
import { writeAdvice } from "../files/file_advice.ts";
import type { EngineSnapshot, SourceDocument } from "../../engine/status/snapshot.ts";

/** How it went. */
export type FileOutcome = Result<void, Pick<OsError, "message" | "name" | "hint">>;

/** What the writer does with files; the system's own unless a test says otherwise. */
export interface StatisticsFiles {
  /** Makes a directory and those above it. */
  makeDirectory(path: string): Promise<FileOutcome>;
  /** Adds octets at the end of a file. */
  appendToFile(path: string, bytes: Uint8Array): Promise<FileOutcome>;
  /** Tells whether there is something in a file. */
  hasContent(path: string): Promise<boolean>;
  /** Removes a file, if it is there. */
  removeFile(path: string): Promise<FileOutcome>;
}

/** How many days are kept. */
const DAYS_KEPT = 30;
/** After a pause of the daemon so many days before those are removed as well. */
const DAYS_SWEPT = 400;
/** So many lines wait for a disk that is slow; those that come then are lost. */
const LINES_WAITING_MAX = 4096;
/** A clock that is only measured is known to be right up to this. */
const OFFSET_MAX: Seconds = 60;
/** A disk that takes longer is told of. */
const PATIENCE_NANOSECONDS = 10_000_000_000n;
const RETRY_NANOSECONDS = 60_000_000_000n;

const HEADERS = {
  measurements:
    "# time source address status stratum offset_s delay_s dispersion_s jitter_s error_bound_s reach timestamps\n",
  tracking:
    "# time state stratum reference offset_s frequency_ppm skew_ppm error_bound_s root_delay_s root_dispersion_s steps\n",
} as const;

type Kind = keyof typeof HEADERS;

interface WaitingLine {
  readonly kind: Kind;
  readonly text: string;
}

/** Writes the statistics of one daemon. */
export class StatisticsWriter {
  readonly #directory: string;
  readonly #files: StatisticsFiles;
  /** The number of samples of each source when it was last looked at. */
  #received = new Map<string, number>();
  #referenceTime: string | null = null;
  #day = "";
  /** The last day on which old files were looked for. */
  #sweptOn = "";
  #waiting: WaitingLine[] = [];
  #writing: Promise<void> | undefined;
  #writingSince: UnixNanoseconds = 0n;
  #error: string | undefined;
  /** When it is tried again after an error, by the real-time clock. */
  #retryAt: UnixNanoseconds = 0n;

  /** Takes the directory; it is made with the first line if need be. */
  constructor(
    directory: string,
    files: StatisticsFiles = {
      makeDirectory: makeDirectoryInBackground,
      appendToFile: appendToFileInBackground,
      hasContent: async (path) => {
        const status = await fileStatusInBackground(path);
        return status.ok && status.value !== undefined && status.value.size > 0;
      },
      removeFile: removeFileInBackground,
    },
  ) {
    this.#directory = directory.replace(/\/+$/, "");
    this.#files = files;
  }

  /** Where it writes. */
  get directory(): string {
    return this.#directory;
  }

  /** What keeps it from writing, as a sentence; undefined when nothing does. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Makes sure that there is a place to write to, if it is time for that. */
  prepare(now: UnixNanoseconds): void {
    if (this.#writing !== undefined && now - this.#writingSince > PATIENCE_NANOSECONDS) {
      this.#error = `Writing to ${this.#directory} does not end`;
    }
    if (dayOf(now) !== this.#day && !this.#isPausing(now)) this.#begin(now, false);
  }

  /** Has what is new written. */
  observe(snapshot: EngineSnapshot, now: UnixNanoseconds): void {
    if (this.#isPausing(now)) return;
    const time = formatUtc(now);
    for (const source of this.#newSamples(snapshot.sources)) {
      this.#add({ kind: "measurements", text: measurementLine(time, source) });
    }
    const isUpdate = snapshot.referenceTime !== null &&
      snapshot.referenceTime !== this.#referenceTime;
    this.#referenceTime = snapshot.referenceTime;
    if (isUpdate) this.#add({ kind: "tracking", text: trackingLine(time, snapshot) });
    if (this.#waiting.length > 0) this.#begin(now, isClockRight(snapshot));
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  #add(line: WaitingLine): void {
    if (this.#waiting.length < LINES_WAITING_MAX) this.#waiting.push(line);
  }

  #begin(now: UnixNanoseconds, isRight: boolean): void {
    if (this.#writing !== undefined) return;
    this.#writingSince = now;
    this.#writing = this.#write(now, isRight).then((error) => {
      this.#writing = undefined;
      this.#note(error, now);
      // What has come meanwhile is of the same day, or of one that is seldom a moment later.
      if (this.#waiting.length > 0) this.#begin(now, isRight);
    });
  }

  async #write(now: UnixNanoseconds, isRight: boolean): Promise<string | undefined> {
    const lines = this.#waiting;
    this.#waiting = [];
    const error = await this.#beginDay(now);
    if (error !== undefined) return error;
    if (isRight) await this.#sweep(now);
    for (const kind of KINDS) {
      const failed = await this.#append(
        kind,
        lines.filter((line) => line.kind === kind).map(({ text }) => text),
      );
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  /** Whether it is to be left alone for a while; a clock that was set back ends that. */
  #isPausing(now: UnixNanoseconds): boolean {
    const left = this.#retryAt - now;
    return this.#error !== undefined && left > 0n && left <= RETRY_NANOSECONDS;
  }

  #note(error: string | undefined, now: UnixNanoseconds): void {
    this.#error = error;
    if (error === undefined) return;
    this.#retryAt = now + RETRY_NANOSECONDS;
    // The directory may have gone.
    this.#day = "";
  }

  #newSamples(sources: readonly SourceDocument[]): readonly SourceDocument[] {
    const before = this.#received;
    this.#received = new Map(sources.map((source) => [identity(source), source.received]));
    return sources.filter((source) => {
      return source.offsetSeconds !== null && source.received > (before.get(identity(source)) ?? 0);
    });
  }

  /** On the first line of a day: makes the directory and begins the files. */
  async #beginDay(now: UnixNanoseconds): Promise<string | undefined> {
    const day = dayOf(now);
    if (day === this.#day) return undefined;
    const made = await this.#files.makeDirectory(this.#directory);
    if (!made.ok) return describeError(made.error);
    this.#day = day;
    for (const kind of KINDS) {
      // After a restart on the same day the header is there.
      if (await this.#files.hasContent(this.#path(kind, day))) continue;
      const error = await this.#append(kind, [HEADERS[kind]]);
      if (error !== undefined) return error;
    }
    return undefined;
  }

  /** Once a day, while the clock is known to be right: removes the old files. */
  async #sweep(now: UnixNanoseconds): Promise<void> {
    const day = dayOf(now);
    if (day === this.#sweptOn) return;
    const oldest = this.#sweptOn === "" ? DAYS_KEPT + DAYS_SWEPT : DAYS_KEPT;
    this.#sweptOn = day;
    for (let age = DAYS_KEPT; age <= oldest; age++) {
      const old = dayOf(now - BigInt(age) * NANOSECONDS_PER_DAY);
      for (const kind of KINDS) await this.#files.removeFile(this.#path(kind, old));
    }
  }

  async #append(kind: Kind, lines: readonly string[]): Promise<string | undefined> {
    if (lines.length === 0) return undefined;
    const bytes = new TextEncoder().encode(lines.join(""));
    const appended = await this.#files.appendToFile(this.#path(kind, this.#day), bytes);
    return appended.ok ? undefined : describeError(appended.error);
  }

  #path(kind: Kind, day: string): string {
    return `${this.#directory}/${kind}-${day}.log`;
  }
}

/** Whether a day that is counted back from this clock is the day that it says. */
function isClockRight({ state, offsetSeconds, referenceTime }: EngineSnapshot): boolean {
  // A clock that counts as right by local-stratum alone was never updated, and may be wrong by
  // years.
  if (state === "synchronized" || state === "holdover") return referenceTime !== null;
  return state === "monitoring" && offsetSeconds !== null && Math.abs(offsetSeconds) < OFFSET_MAX;
}

const KINDS: readonly Kind[] = ["measurements", "tracking"];

function measurementLine(time: string, source: SourceDocument): string {
  return line([
    time,
    source.name,
    source.address,
    source.status,
    source.stratum,
    source.offsetSeconds,
    source.delaySeconds,
    source.dispersionSeconds,
    source.jitterSeconds,
    source.errorBoundSeconds,
    source.reach.toString(8),
    source.timestamping,
  ]);
}

function trackingLine(time: string, snapshot: EngineSnapshot): string {
  return line([
    time,
    snapshot.state,
    snapshot.stratum,
    snapshot.referenceId,
    snapshot.offsetSeconds,
    snapshot.frequencyPpm,
    snapshot.skewPpm,
    snapshot.errorBoundSeconds,
    snapshot.rootDelaySeconds,
    snapshot.rootDispersionSeconds,
    snapshot.steps.count,
  ]);
}

/** Joins columns by spaces; what is not known is a dash, and no column has a space in it. */
function line(columns: readonly (string | number | null)[]): string {
  const words = columns.map((column) => {
    if (column === null || column === "") return "-";
    return typeof column === "number"
      ? String(Number(column.toPrecision(10)))
      : column.replaceAll(/\s/g, "_");
  });
  return `${words.join(" ")}\n`;
}

function identity(source: SourceDocument): string {
  return `${source.name} ${source.address}`;
}

function dayOf(time: UnixNanoseconds): string {
  return formatUtc(time).slice(0, 10).replaceAll("-", "");
}

/** Writes what went wrong, and what would help. */
function describeError(error: Pick<OsError, "message" | "name" | "hint">): string {
  return `${error.message}; ${writeAdvice(error, { key: "observability.statistics-path" })}`;
}
