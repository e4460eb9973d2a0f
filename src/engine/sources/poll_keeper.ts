/**
 * Keeps the poll interval of every source: what the discipline wants for those that give time, and
 * patience with those that do not.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import type { MonotonicSeconds, PollExponent, Seconds } from "../../base/units.ts";
import type { Discipline } from "../../discipline/discipline.ts";
import { choosePoll } from "../../discipline/poll_policy.ts";
import type { SourceSelection } from "./source_selection.ts";
import type { MemberOfSource } from "./source_set.ts";

/** After so many requests that brought no time a source is asked half as often. */
const IDLE_REQUESTS = 8;
/** Where no believed source is asked more often. */
const IDLE_POLL: PollExponent = 10;
/** No sample is better than this: what timestamping in the kernel leaves. */
const SAMPLE_ERROR_MIN: Seconds = 2e-7;

/** What the interval of a source is chosen by. */
export interface PollKnowledge {
  /** The typical error of one sample. */
  readonly sampleError: Seconds;
  /** How many samples are kept of the source. */
  readonly samples: number;
  /** The variance of the clock's frequency, by this source or by all that are believed together. */
  readonly frequencyVariance: number;
  /** What that most likely grows by in a second. */
  readonly likelyWanderVariance: number;
  /** Whether the last sample was hardly believable. */
  readonly isOutlier: boolean;
  /** Whether it may show that the frequency has changed, so that the error grows. */
  readonly mayDrift: boolean;
  /** Whether selection knows the source to be a falseticker. */
  readonly wrong: boolean;
}

/**
 * The shortest interval in seconds at which believed sources are asked; that of a slow source when
 * there are none.
 */
export function shortestInterval(
  members: readonly MemberOfSource[],
  believed: readonly number[],
): Seconds {
  const polls = members.filter(({ association }) => believed.includes(association.id))
    .map(({ association }) => association.poll);
  return 2 ** Math.min(...polls, IDLE_POLL);
}

/** The poll intervals of all sources. */
export class PollKeeper {
  /** Samples taken at the current interval. */
  readonly #samples = new Map<number, number>();
  /** How many requests a source had been sent when it last gave time, or was last slowed down. */
  readonly #idleSince = new Map<number, number>();

  /** Chooses the interval of a source that has just given time. */
  adapt(association: Association, knowledge: PollKnowledge): void {
    const { id } = association;
    this.#idleSince.set(id, association.sent);
    if (association.inBurst) return;
    const samplesAtCurrent = (this.#samples.get(id) ?? 0) + 1;
    const poll = choosePoll({
      current: association.poll,
      limits: association.config.pollIntervalLimits,
      samplesAtCurrent,
      samples: knowledge.samples,
      sampleError: Math.hypot(knowledge.sampleError, SAMPLE_ERROR_MIN),
      frequencyVariance: knowledge.frequencyVariance,
      wanderVariance: knowledge.likelyWanderVariance,
      isOutlier: knowledge.isOutlier,
      wrong: knowledge.wrong,
    });
    this.#samples.set(id, poll === association.poll ? samplesAtCurrent : 0);
    if (poll !== association.poll) association.setPoll(poll);
    if (knowledge.mayDrift && !knowledge.wrong) association.askForSecond();
  }

  /**
   * Chooses the interval of the source that has just given time by what is known of the clock, by
   * it alone and by all.
   */
  adaptTo(
    id: number,
    { sources, discipline, selection, now }: {
      readonly sources: { readonly members: readonly MemberOfSource[] };
      readonly discipline: Discipline;
      readonly selection: Pick<SourceSelection, "believed" | "falsetickers">;
      readonly now: MonotonicSeconds;
    },
  ): void {
    const member = sources.members.find(({ association }) => association.id === id);
    const own = discipline.sourceAt(id, now);
    if (member === undefined || own === undefined) return;
    // what several sources know of the clock together is better than what one knows alone
    const joint = selection.believed.includes(id) ? discipline.systemAt(now) : undefined;
    const better = joint !== undefined && joint.frequencyVariance < own.frequencyVariance;
    const { frequencyVariance, likelyWanderVariance } = better ? joint : own;
    const { sampleError, samples, isOutlier, mayDrift } = own;
    const wrong = selection.falsetickers.includes(id);
    const shown = { sampleError, samples, isOutlier, mayDrift };
    this.adapt(member.association, { ...shown, frequencyVariance, likelyWanderVariance, wrong });
  }

  /** Asks servers ever more rarely that are asked again and again and give no time. */
  slowIdle(members: readonly MemberOfSource[]): void {
    for (const { association } of members) {
      const since = this.#idleSince.get(association.id) ?? 0;
      if (association.sent - since < IDLE_REQUESTS || association.inBurst) continue;
      this.#idleSince.set(association.id, association.sent);
      association.setPoll(association.poll + 1);
    }
  }

  /** Forgets a source. */
  forget(id: number): void {
    this.#samples.delete(id);
    this.#idleSince.delete(id);
  }

  /** Forgets how long the intervals have held, because all is measured anew. */
  restart(): void {
    this.#samples.clear();
  }
}
