/**
 * Tells the log what selection makes of sources, in pairs: one is not used any more and why, and it
 * is good again.
 *
 * The problem: a source that flips with every answer would fill the log, and when all of them turn
 * bad at once there is one cause and not many. The idea: a fault is told at once the first time,
 * when another source has been found good since, which shows that it is the source's own. Each
 * further change has to last, twice as long each time, before it is told; what did not last is
 * counted. While no source is used, one line tells of all. Limits: silence is told by
 * `SourceReports`; which of several good ones lead is no news.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import { describeCauses } from "../../selection/causes.ts";
import type { SourceStatus, StatusWord } from "../../selection/status.ts";
import type { Action } from "../events.ts";
import type { SelectionContext } from "../sources/candidates.ts";
import type { SourceSelection } from "../sources/source_selection.ts";
import type { MemberOfSource } from "../sources/source_set.ts";
import { notLogged } from "./hold.ts";

/**
 * After a line the next change of the same source must last so long, and twice as long each time,
 * up to the second.
 */
const HOLD_MIN: Seconds = 60;
const HOLD_MAX: Seconds = 3600;
/** Without a change for so long a source begins with a clean record. */
const CALM: Seconds = 6 * 3600;
/**
 * While no source is used, so long is waited for the others before those that are bad are told of.
 */
const PATIENCE: Seconds = 60;
/** When one is good after none was, the others have so much time to follow. */
const RETURN_TIME: Seconds = 120;

/** One source as selection sees it. */
export interface ObservedSource extends SourceStatus {
  /** Its number in the engine. */
  readonly id: number;
  /** Its address as written in the configuration. */
  readonly source: string;
  /** How sentences call it. */
  readonly name: string;
  /** When it last answered. */
  readonly lastResponseAt: MonotonicSeconds;
}

/** What a look depends on beside the sources. */
export interface StatusContext {
  /** The moment. */
  readonly now: MonotonicSeconds;
  /** Whether any source is used. */
  readonly isSelected: boolean;
  /** Whether the log says already why none is. */
  readonly isReasonTold: boolean;
}

/** Collects what selection makes of sources. */
export function observedSources(
  members: readonly MemberOfSource[],
  about: { readonly selection: SourceSelection; readonly context: SelectionContext },
): readonly ObservedSource[] {
  return members.map((member) => ({
    id: member.association.id,
    source: member.config.address,
    name: member.association.fullName,
    ...about.selection.statusOf(member, about.context),
    lastResponseAt: member.association.history.lastResponseAt ?? -Infinity,
  }));
}

interface Record {
  /** What the log says of it: the fault's word, or that it is good. */
  told: StatusWord | "good";
  toldAt: MonotonicSeconds;
  /** What it is instead, and since when; undefined when it is what was told. */
  pending: { readonly status: StatusWord | "good"; since: MonotonicSeconds } | undefined;
  /** A change must last so long. */
  hold: Seconds;
  /** Changes that did not last, since the last line. */
  unsteady: number;
  /** Whether a sentence of all sources has told of its fault. */
  isCovered: boolean;
}

/** Follows the status of every source. */
export class StatusReports {
  readonly #records = new Map<number, Record>();
  #wasSelected = false;

  /** Looks at all sources; to be called after each event. */
  look(sources: readonly ObservedSource[], context: StatusContext): readonly Action[] {
    this.#forgetOthers(sources);
    const { now, isSelected } = context;
    if (isSelected && !this.#wasSelected) this.#grantReturn(now);
    this.#wasSelected = isSelected;
    for (const source of sources) this.#note(source, context);
    if (!isSelected) return this.#tellTogether(sources, context);
    const changed = sources.filter(({ id }) => this.#records.get(id)?.pending !== undefined);
    if (changed.length === 0) return [];
    const foundGoodAt = Math.max(
      -Infinity,
      ...sources.filter(({ status }) => kindOf(status) === "good")
        .map(({ lastResponseAt }) => lastResponseAt),
    );
    return changed.flatMap((source) => this.#tell(source, { now, foundGoodAt }));
  }

  #forgetOthers(sources: readonly ObservedSource[]): void {
    if (this.#records.size <= sources.length) return;
    const alive = new Set(sources.map(({ id }) => id));
    for (const id of this.#records.keys()) if (!alive.has(id)) this.#records.delete(id);
  }

  /** Those that are still bad when another is good are the next to be named, but not at once. */
  #grantReturn(now: MonotonicSeconds): void {
    for (const record of this.#records.values()) {
      if (record.pending === undefined) continue;
      record.pending.since = now;
      record.hold = Math.max(record.hold, RETURN_TIME);
    }
  }

  #note({ id, status: word }: ObservedSource, { now, isSelected }: StatusContext): void {
    const kind = kindOf(word);
    // what agrees with others while nothing is used has not been found good
    if (kind === "none" || (kind === "good" && !isSelected)) return;
    const record = this.#recordOf(id);
    const status = kind === "good" ? "good" : word;
    if (now - record.toldAt > CALM && record.pending === undefined) record.hold = 0;
    if (status === record.told) {
      if (record.pending !== undefined && !record.isCovered) record.unsteady++;
      record.pending = undefined;
      record.isCovered = false;
    } else if (record.pending?.status !== status) {
      if (record.pending !== undefined) record.unsteady++;
      record.pending = { status, since: now };
    }
  }

  #tell(
    { id, source, name, status: word, reason, lastResponseAt }: ObservedSource,
    { now, foundGoodAt }: {
      readonly now: MonotonicSeconds;
      readonly foundGoodAt: MonotonicSeconds;
    },
  ): readonly Action[] {
    const record = this.#records.get(id);
    if (record?.pending === undefined || word === "unreachable") return [];
    const { status, since } = record.pending;
    if (now - since < record.hold) return [];
    if (status !== "good" && foundGoodAt <= since) return [];
    // one that was bad together with all has to answer first
    if (record.isCovered && lastResponseAt <= since) return [];
    const often = notLogged(record.unsteady, "brief change");
    Object.assign(record, { told: status, ...afterLine(record, now) });
    const isGood = status === "good";
    const message = isGood
      ? `Source ${name} is usable again${often}`
      : `Source ${name} is not used (${status}): ${reason}${often}`;
    return [{ type: "log", level: isGood ? "info" : "warning", message, source }];
  }

  /** One line for all that are bad while none is used; none at all if the log says it already. */
  #tellTogether(sources: readonly ObservedSource[], context: StatusContext): readonly Action[] {
    const bad = sources.filter(({ id, status }) => {
      const record = this.#records.get(id);
      return record?.pending !== undefined && !record.isCovered &&
        record.pending.status === status;
    });
    const first = Math.min(...bad.map(({ id }) => this.#recordOf(id).pending?.since ?? Infinity));
    const isDue = context.isReasonTold || context.now - first >= PATIENCE;
    if (bad.length === 0 || !isDue) return [];
    for (const { id } of bad) this.#recordOf(id).isCovered = true;
    if (context.isReasonTold) return [];
    const message = `No source is used: ${describeCauses(bad)}`;
    return [{ type: "log", level: "warning", message }];
  }

  #recordOf(id: number): Record {
    const known = this.#records.get(id);
    if (known !== undefined) return known;
    const record: Record = {
      told: "good",
      toldAt: -Infinity,
      pending: undefined,
      hold: 0,
      unsteady: 0,
      isCovered: false,
    };
    this.#records.set(id, record);
    return record;
  }
}

/** What becomes of a record when a line was told: the next change has to last twice as long. */
function afterLine({ hold }: Record, now: MonotonicSeconds): Omit<Record, "told"> {
  return {
    toldAt: now,
    pending: undefined,
    hold: Math.min(HOLD_MAX, Math.max(HOLD_MIN, 2 * hold)),
    unsteady: 0,
    isCovered: false,
  };
}

/**
 * Whether a status is a fault of the source that is told here, says that it is good, or says
 * nothing of that.
 */
function kindOf(status: StatusWord): "fault" | "good" | "none" {
  switch (status) {
    case "outlier":
    case "falseticker":
    case "jittery":
    case "unsynchronized":
    case "distant":
    case "loop":
      return "fault";
    case "selected":
    case "combined":
    case "candidate":
      return "good";
    // silence and denials are told by `SourceReports`, and what the configuration wants is no news
    case "unreachable":
    case "kissed":
    case "no-select":
    case "starting":
      return "none";
    default:
      return unreachable(status);
  }
}
