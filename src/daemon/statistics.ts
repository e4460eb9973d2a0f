/**
 * Writes what was measured and what the clock did into files, for plots and for looking back.
 *
 * The idea: after each event the status is looked at, and a line is written for every source that has a new sample and for every
 * update of the clock. Files are named by the day, as `measurements-20261122.log`, and those older than 30 days are removed, so that a
 * disk cannot fill up by them. What cannot be written is lost, and a minute later it is tried again. Limits: nothing is flushed.
 *
 * @module
 */
import { appendToFile, makeDirectory, removeFile } from "../../ffi/files.ts";
import type { UnixNanoseconds } from "../base/ntp_timestamp.ts";
import type { Result } from "../base/result.ts";
import { formatUtc } from "../base/utc.ts";
import type { EngineSnapshot, SourceDocument } from "../engine/snapshot.ts";

/** What the writer does with files; the system's own unless a test says otherwise. */
export interface StatisticsFiles {
  /** Makes a directory and those above it. */
  makeDirectory(path: string): Result<void, { readonly message: string }>;
  /** Adds octets at the end of a file. */
  appendToFile(path: string, bytes: Uint8Array): Result<void, { readonly message: string }>;
  /** Removes a file, if it is there. */
  removeFile(path: string): Result<void, { readonly message: string }>;
}

/** How many days are kept. */
const DAYS_KEPT = 30;
/** After a pause of the daemon so many days before those are removed as well. */
const DAYS_SWEPT = 400;
const DAY_NANOSECONDS = 86_400_000_000_000n;
const RETRY_NANOSECONDS = 60_000_000_000n;

const HEADERS = {
  measurements:
    "# time source address status stratum offset_s delay_s dispersion_s jitter_s error_bound_s reach stamps\n",
  tracking:
    "# time state stratum reference offset_s frequency_ppm skew_ppm error_bound_s root_delay_s root_dispersion_s steps\n",
} as const;

type Kind = keyof typeof HEADERS;

/** Writes the statistics of one daemon. */
export class StatisticsWriter {
  readonly #directory: string;
  readonly #files: StatisticsFiles;
  /** The number of samples of each source when it was last looked at. */
  #received = new Map<string, number>();
  #referenceTime: string | null = null;
  #day = "";
  #problem: string | undefined;
  /** When it is tried again after a problem, by the real-time clock. */
  #retryAt: UnixNanoseconds = 0n;

  /** Takes the directory; it is made with the first line if need be. */
  constructor(
    directory: string,
    files: StatisticsFiles = { makeDirectory, appendToFile, removeFile },
  ) {
    this.#directory = directory.replace(/\/+$/, "");
    this.#files = files;
  }

  /** Where it writes. */
  get directory(): string {
    return this.#directory;
  }

  /** What keeps it from writing, as a sentence; undefined when nothing does. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Makes sure that there is a place to write to, if it is time for that. */
  prepare(now: UnixNanoseconds): void {
    if (this.#isPausing(now)) return;
    this.#note(this.#beginDay(now), now);
  }

  /** Writes what is new. */
  observe(snapshot: EngineSnapshot, now: UnixNanoseconds): void {
    if (this.#isPausing(now)) return;
    const time = formatUtc(now);
    const measurements = this.#newSamples(snapshot.sources).map((source) =>
      measurementLine(time, source)
    );
    const isUpdate = snapshot.referenceTime !== null &&
      snapshot.referenceTime !== this.#referenceTime;
    this.#referenceTime = snapshot.referenceTime;
    if (measurements.length === 0 && !isUpdate) return;
    const problem = this.#beginDay(now) ?? this.#append("measurements", measurements) ??
      this.#append("tracking", isUpdate ? [trackingLine(time, snapshot)] : []);
    this.#note(problem, now);
  }

  /** Whether it is to be left alone for a while; a clock that was set back ends that. */
  #isPausing(now: UnixNanoseconds): boolean {
    const left = this.#retryAt - now;
    return this.#problem !== undefined && left > 0n && left <= RETRY_NANOSECONDS;
  }

  #note(problem: string | undefined, now: UnixNanoseconds): void {
    this.#problem = problem;
    if (problem === undefined) return;
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

  /** On the first line of a day: makes the directory, begins the files, removes the old ones. */
  #beginDay(now: UnixNanoseconds): string | undefined {
    const day = dayOf(now);
    if (day === this.#day) return undefined;
    const made = this.#files.makeDirectory(this.#directory);
    if (!made.ok) return made.error.message;
    const isStart = this.#day === "";
    this.#day = day;
    const oldest = isStart ? DAYS_KEPT + DAYS_SWEPT : DAYS_KEPT;
    for (let age = DAYS_KEPT; age <= oldest; age++) {
      const old = dayOf(now - BigInt(age) * DAY_NANOSECONDS);
      for (const kind of KINDS) this.#files.removeFile(this.#path(kind, old));
    }
    // After a restart on the same day the header stands in the middle: it is a comment there too.
    for (const kind of KINDS) {
      const problem = this.#append(kind, [HEADERS[kind]]);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #append(kind: Kind, lines: readonly string[]): string | undefined {
    if (lines.length === 0) return undefined;
    const bytes = new TextEncoder().encode(lines.join(""));
    const appended = this.#files.appendToFile(this.#path(kind, this.#day), bytes);
    return appended.ok ? undefined : appended.error.message;
  }

  #path(kind: Kind, day: string): string {
    return `${this.#directory}/${kind}-${day}.log`;
  }
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
