/**
 * The boundary of each source: whatever goes wrong inside ntpsd while something of a source is
 * handled stays with that source.
 *
 * What is handled is dropped, counted as "internal-error" among the source's dropped packets, and
 * told once with the place in the program. A source with which that happens again and again is left
 * out for an hour. What its owner knows of the source is put right by a second function, because
 * the first was left in the middle. Limits: what concerns all sources together (the control of the
 * clock, the decision itself) has no source to drop and is not caught here.
 *
 * @module
 */
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { Action } from "../events.ts";

/** So many faults within `MEMORY` and a source is left out. */
const FAULTS_MAX = 3;
const MEMORY: Seconds = 3600;

/** What faults are counted by: the number of an association, or the address of a source. */
export type FaultKey = number | string;

/** The source for which something is done. */
export interface FaultSubject {
  /** What its faults are counted by. */
  readonly key: FaultKey;
  /** How messages call it. */
  readonly name: string;
  /** The moment. */
  readonly now: MonotonicSeconds;
}

interface Record {
  count: number;
  /** Those within `MEMORY` of one another. */
  recent: number;
  latest: MonotonicSeconds;
}

/** Counts faults by source, and catches them. */
export class SourceFaults {
  readonly #records = new Map<FaultKey, Record>();

  /**
   * Does something for a source; when that fails, counts it, tells it once, and does what `recover`
   * says.
   */
  guard(
    about: FaultSubject,
    { run, recover }: {
      readonly run: () => readonly Action[];
      readonly recover?: () => readonly Action[];
    },
  ): readonly Action[] {
    try {
      return run();
    } catch (error) {
      const told = this.#note(about, error);
      try {
        return [...told, ...recover?.() ?? []];
      } catch (second) {
        return [...told, ...this.#note(about, second)];
      }
    }
  }

  /** How often something went wrong with a source. */
  count(key: FaultKey): number {
    return this.#records.get(key)?.count ?? 0;
  }

  /** Tells whether a source is left out, because it went wrong with it again and again. */
  isLeftOut(key: FaultKey, now: MonotonicSeconds): boolean {
    const record = this.#records.get(key);
    return record !== undefined && record.recent >= FAULTS_MAX && now - record.latest < MEMORY;
  }

  /** Forgets a source that is gone. */
  forget(key: FaultKey): void {
    this.#records.delete(key);
  }

  #note({ key, name, now }: FaultSubject, error: unknown): readonly Action[] {
    const before = this.#records.get(key) ?? { count: 0, recent: 0, latest: -Infinity };
    const recent = now - before.latest < MEMORY ? before.recent + 1 : 1;
    this.#records.set(key, { count: before.count + 1, recent, latest: now });
    if (before.count > 0) return [];
    const message = `Source ${name}: a bug in ntpsd, please report it: ${placeOf(error)}`;
    return [{ type: "log", level: "error", message }];
  }
}

/** The error's sentence and the innermost places in the program, on one line. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 200);
  const places = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "))
    .slice(0, 4).map((line) => line.trim().replace(/\(.*\/(src|ffi)\//, "($1/"));
  return `${error.name}: ${error.message.slice(0, 200)} ${places.join(" ")}`.trim();
}
