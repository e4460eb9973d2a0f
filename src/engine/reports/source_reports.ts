/**
 * Tells the log when sources fall silent and when they answer again, in pairs.
 *
 * The problem: when the network goes, every source fails within minutes, and as many warnings hide
 * that there is one cause; and a source alone that fails must be named. The idea: a failure is told
 * when another source has answered since, which shows that it is the source's own; as long as none
 * answers it is kept back, and when all have failed one sentence tells of all. The first answer
 * ends that with one sentence too; a source that stays silent for two minutes more is named then. A
 * source that fails and answers again before it was named gets one line that tells both. What fails
 * again and again must last longer each time (`hold.ts`). Limits: what selection thinks of sources
 * is told by `StatusReports`.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import type { Association } from "../../association/association.ts";
import type { SourceGroup } from "../../association/source_group.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import { describeCauses } from "../../selection/causes.ts";
import type { Action } from "../events.ts";
import { Hold } from "./hold.ts";
import { errorOf } from "./silence.ts";

/** After an outage of all sources the others have so much time to answer too. */
const RETURN_TIME: Seconds = 120;

/** What the reports look at. */
export type ReportedSource = Pick<SourceGroup, "config" | "members" | "report">;

/** How one server stands, or a source that has none. */
interface Subject {
  /** The number of a server, or the address of a source that has none. */
  readonly key: number | string;
  readonly source: string;
  readonly name: string;
  readonly health: "answers" | "silent" | "unknown";
  /** What is wrong with one that is silent. */
  /** What is wrong, as the predicate of a sentence; empty when it is not silent. */
  readonly error: string;
  /** What in the error is news, even of one that is known to be silent. */
  readonly causes: readonly string[];
  readonly lastResponseAt: MonotonicSeconds;
}

interface Record {
  /** How often it began to answer. */
  returns: number;
  /** What was told last. */
  told: "nothing" | "answers" | "silent";
  /** Since when it has failed without being named. */
  failedSince: MonotonicSeconds | undefined;
  /** Not named before. */
  namedFrom: MonotonicSeconds;
  /** Whether a sentence of all sources has told of it already. */
  isCovered: boolean;
  error: string;
  readonly toldCauses: Set<string>;
  readonly hold: Hold;
}

/** What is to be told, and whether the network has come back. */
export interface Report {
  /** Lines for the log. */
  readonly actions: readonly Action[];
  /** Whether a source has answered after none did. */
  readonly hasReturned: boolean;
}

/** Follows all sources. */
export class SourceReports {
  readonly #records = new Map<number | string, Record>();
  #outageSince: MonotonicSeconds | undefined = undefined;
  /** Whether the log says so. */
  #isOutageTold = false;
  readonly #outageHold = new Hold();

  /** Looks at all sources; to be called after each event. */
  look(sources: readonly ReportedSource[], now: MonotonicSeconds): Report {
    const subjects: Subject[] = [], actions: Action[] = [];
    for (const source of sources) {
      for (const subject of subjectsOf(source)) subjects.push(subject);
    }
    this.#forgetOthers(subjects);
    for (const subject of subjects) actions.push(...this.#follow(subject, now));
    const first = this.#firstReturned(subjects);
    if (first !== undefined) actions.push(...this.#endOutage(subjects, { first, now }));
    if (this.#outageSince === undefined) {
      const isOutage = isOutageOf(sources, subjects);
      if (isOutage && subjects.length > 1) this.#beginOutage(subjects, now);
      else actions.push(...this.#nameFailed(subjects, { now, isAlone: isOutage }));
    }
    actions.push(...this.#tellOutage(subjects, now));
    return { actions, hasReturned: first !== undefined };
  }

  #forgetOthers(subjects: readonly Subject[]): void {
    if (this.#records.size <= subjects.length) return;
    const alive = new Set(subjects.map(({ key }) => key));
    for (const key of this.#records.keys()) if (!alive.has(key)) this.#records.delete(key);
  }

  /** Notes how a subject stands; tells when it answers. */
  #follow(subject: Subject, now: MonotonicSeconds): Action[] {
    const record = this.#recordOf(subject.key);
    switch (subject.health) {
      case "unknown":
        return [];
      case "silent":
        record.error = subject.error;
        if (record.told !== "silent") {
          record.failedSince ??= now;
          return [];
        }
        return this.#outageSince === undefined ? tellNews(subject, record) : [];
      case "answers":
        return this.#noteResponse(subject, now);
      default:
        return unreachable(subject.health);
    }
  }

  #noteResponse(subject: Subject, now: MonotonicSeconds): Action[] {
    const record = this.#recordOf(subject.key);
    const { told, failedSince, isCovered, error } = record;
    if (told === "answers" && failedSince === undefined) return [];
    Object.assign(record, { told: "answers", failedSince: undefined, isCovered: false });
    record.returns++;
    record.toldCauses.clear();
    // the first one after an outage of all has a line of its own
    if (isCovered || this.#outageSince !== undefined) return [];
    if (told === "silent") return [info(subject, responsesOf(record))];
    if (told === "nothing") return [info(subject, "answers")];
    if (record.hold.patience(now) > 0) {
      record.hold.noteBrief();
      return [];
    }
    record.hold.tell(now);
    return [info(subject, `${responsesOf(record)} (before: ${error})`)];
  }

  #beginOutage(subjects: readonly Subject[], now: MonotonicSeconds): void {
    this.#outageSince = now;
    const failed = subjects.filter(({ health }) => health === "silent");
    // what was told of each is not told again of all
    this.#isOutageTold = failed.every(({ key }) => this.#recordOf(key).told === "silent");
    if (this.#isOutageTold) return;
    for (const { key } of failed) this.#recordOf(key).isCovered = true;
  }

  #tellOutage(subjects: readonly Subject[], now: MonotonicSeconds): readonly Action[] {
    if (this.#outageSince === undefined || this.#isOutageTold) return [];
    if (now - this.#outageSince < this.#outageHold.patience(now)) return [];
    this.#isOutageTold = true;
    const failed = subjects.filter(({ health }) => health === "silent");
    const often = this.#outageHold.tell(now);
    const message = `None of the ${failed.length} sources answers: ${causesOf(failed)}${often}`;
    return [{ type: "log", level: "warning", message }];
  }

  /** Finds a source that has answered during an outage of all. */
  #firstReturned(subjects: readonly Subject[]): Subject | undefined {
    const since = this.#outageSince;
    if (since === undefined) return undefined;
    return subjects.find(({ health, lastResponseAt }) =>
      health === "answers" && lastResponseAt >= since
    );
  }

  /** Ends an outage of all when one has answered; the others get some time to follow. */
  #endOutage(
    subjects: readonly Subject[],
    { first, now }: { readonly first: Subject; readonly now: MonotonicSeconds },
  ): readonly Action[] {
    this.#outageSince = undefined;
    if (!this.#isOutageTold) this.#outageHold.noteBrief();
    for (const { key, health } of subjects) {
      if (health !== "silent") continue;
      const record = this.#recordOf(key);
      record.told = record.told === "silent" ? "silent" : "answers";
      record.failedSince = now;
      record.namedFrom = now + RETURN_TIME;
    }
    if (!this.#isOutageTold) return [];
    const answers = responsesOf(this.#recordOf(first.key));
    return [info(first, `${answers}, the first of the sources to do so`)];
  }

  /** Names those that have failed while others answer. */
  #nameFailed(
    subjects: readonly Subject[],
    { now, isAlone }: { readonly now: MonotonicSeconds; readonly isAlone: boolean },
  ): readonly Action[] {
    const actions: Action[] = [];
    const silent = subjects.filter(({ health }) => health === "silent");
    if (silent.length === 0) return actions;
    const newest = Math.max(-Infinity, ...subjects.map(({ lastResponseAt }) => lastResponseAt));
    for (const subject of silent) {
      const record = this.#recordOf(subject.key);
      if (record.failedSince === undefined) continue;
      const isOwn = isAlone || newest > record.failedSince;
      const { hold, failedSince } = record;
      const from = Math.max(record.namedFrom, failedSince + hold.patience(now));
      if (!isOwn || now < from) continue;
      Object.assign(record, { told: "silent", failedSince: undefined, isCovered: false });
      for (const cause of subject.causes) record.toldCauses.add(cause);
      actions.push(warning(subject, `${subject.error}${hold.tell(now)}`));
    }
    return actions;
  }

  #recordOf(key: number | string): Record {
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    const record: Record = {
      returns: 0,
      told: "nothing",
      failedSince: undefined,
      namedFrom: -Infinity,
      isCovered: false,
      error: "",
      toldCauses: new Set(),
      hold: new Hold(),
    };
    this.#records.set(key, record);
    return record;
  }
}

function responsesOf({ returns }: Record): string {
  return returns > 1 ? "answers again" : "answers";
}

/**
 * A source that is known to be silent is told of again when its answers are dropped for a reason
 * that is new.
 */
function tellNews(subject: Subject, record: Record): Action[] {
  const fresh = subject.causes.filter((cause) => !record.toldCauses.has(cause));
  for (const cause of fresh) record.toldCauses.add(cause);
  return fresh.length === 0 ? [] : [warning(subject, subject.error)];
}

function subjectsOf(source: ReportedSource): readonly Subject[] {
  const { members } = source;
  if (members.length > 0) {
    return members.filter(({ isStopped }) => !isStopped)
      .map((member) => subjectOf(member, source.config.address));
  }
  const { report } = source;
  const { address } = source.config;
  return [{
    key: address,
    source: address,
    name: address,
    health: report === undefined ? "unknown" : "silent",
    error: report ?? "",
    causes: [],
    lastResponseAt: -Infinity,
  }];
}

/** This is done for every server after each event: only what is needed is put into words. */
function subjectOf(member: Association, source: string): Subject {
  const { health } = member;
  const isSilent = health === "silent";
  return {
    key: member.id,
    source,
    name: member.fullName,
    health,
    error: isSilent ? errorOf(member) : "",
    causes: isSilent ? member.history.dropped.recentReasons : [],
    lastResponseAt: member.history.lastResponseAt ?? -Infinity,
  };
}

/** Says why they failed. */
function causesOf(failed: readonly Subject[]): string {
  return describeCauses(failed.map(({ name, error }) => ({ name, reason: error })));
}

function isOutageOf(sources: readonly ReportedSource[], subjects: readonly Subject[]): boolean {
  return sources.length > 0 && subjects.every(({ health }) => health === "silent");
}

function info({ source, name }: Subject, text: string): Action {
  return { type: "log", level: "info", message: `Source ${name} ${text}`, source };
}

function warning({ source, name }: Subject, text: string): Action {
  return { type: "log", level: "warning", message: `Source ${name} ${text}`, source };
}
