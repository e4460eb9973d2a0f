/**
 * What the discipline knows at one moment: each estimate is made once, however many parts of a
 * selection ask for it.
 *
 * @module
 */
import type { MonotonicSeconds } from "../../base/units.ts";
import type { Discipline, SourceEstimate, SystemEstimate } from "../../discipline/discipline.ts";

/** Estimates of one moment, as the discipline gives them. */
export class EstimatesOfMoment implements Pick<Discipline, "sourceAt" | "systemAt"> {
  readonly #discipline: Pick<Discipline, "sourceAt" | "systemAt">;
  readonly #estimates = new Map<number, SourceEstimate | undefined>();
  #system: SystemEstimate | undefined;

  /** Nothing may be observed as long as this is used, and it is asked about one moment. */
  constructor(discipline: Pick<Discipline, "sourceAt" | "systemAt">) {
    this.#discipline = discipline;
  }

  /** Returns what a source shows, or undefined before its first sample. */
  sourceAt(id: number, now: MonotonicSeconds): SourceEstimate | undefined {
    const known = this.#estimates.get(id);
    if (known !== undefined) return known;
    const estimate = this.#discipline.sourceAt(id, now);
    this.#estimates.set(id, estimate);
    return estimate;
  }

  /** Returns what the believed sources together show, or undefined before the first. */
  systemAt(now: MonotonicSeconds): SystemEstimate | undefined {
    return this.#system ??= this.#discipline.systemAt(now);
  }
}
