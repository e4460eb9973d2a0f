/**
 * What the log is told of the sources: which are silent, which are not used, and when that ends.
 *
 * @module
 */
import type { Instant } from "../../base/instant.ts";
import type { EngineParts } from "../engine_parts.ts";
import type { Action } from "../events.ts";
import { SourceReports } from "./source_reports.ts";
import { observedSources, StatusReports } from "./status_reports.ts";

/** Looks at all sources after each event. */
export class Reports {
  readonly #parts: EngineParts;
  readonly #silences = new SourceReports();
  readonly #statuses = new StatusReports();

  /** Has told nothing yet. */
  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Returns the lines for what has changed, and whether one source answers after none did. */
  look(now: Instant): { readonly lines: readonly Action[]; readonly hasReturned: boolean } {
    const groups = this.#parts.sources.entries.map(({ group }) => group);
    const { actions, hasReturned } = this.#silences.look(groups, now.monotonic);
    return { lines: [...actions, ...this.#lookAtStatuses(now)], hasReturned };
  }

  #lookAtStatuses(now: Instant): readonly Action[] {
    const { sources, discipline, selection, provisional } = this.#parts;
    const members = provisional.released(sources.members);
    const observed = observedSources(members, { selection, context: { now, discipline } });
    const { selected: isSelected, isReasonTold } = selection;
    return this.#statuses.look(observed, { now: now.monotonic, isSelected, isReasonTold });
  }
}
