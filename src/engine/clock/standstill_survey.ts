/**
 * Asks the sources whether the machine stood still.
 *
 * The idea: what the newest exchange with each source shows is selected among as the time itself
 * is, so that just those have a say that have one in the time: no source that is only watched, no
 * plain one against trusted ones, one vote each server. A source that has not answered since the
 * suspicion is not counted; that each has its chance is for the start gate. While no majority is
 * found the suspicion stays, however long. Limits: see `standstill.ts`.
 *
 * @module
 */
import { offsetAndDelay } from "../../association/exchange.ts";
import type { Measurement } from "../../association/measurement.ts";
import { monotonicOf } from "../../base/instant.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { SourceEstimate } from "../../discipline/discipline.ts";
import { SIGMA_MULTIPLIER } from "../../selection/root_distance.ts";
import type { EngineParts } from "../engine_parts.ts";
import type { AssociationId, Instant } from "../events.ts";
import type { MemberOfSource } from "../sources/source_set.ts";
import { type Answer, StandstillSuspicion } from "./standstill.ts";

/** So much a second the clock may have gone by itself since an answer. */
const WANDER_MAX = 5e-4;

/** Asks the sources of one engine. */
export class StandstillSurvey {
  readonly #parts: Pick<EngineParts, "discipline" | "provisional" | "selection" | "sources">;
  readonly #suspicion = new StandstillSuspicion();
  /** The sources that others contradicted when it began. */
  #disputed: readonly AssociationId[] = [];

  /** Suspects nothing yet. */
  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Whether the sources are being asked. */
  get isUnderWay(): boolean {
    return this.#suspicion.isSuspected;
  }

  /** Begins, or begins anew with more that is missing. */
  suspect(missing: Seconds, now: MonotonicSeconds): void {
    if (!this.isUnderWay) this.#disputed = this.#parts.selection.disputed;
    this.#suspicion.suspect(missing, now);
  }

  /** The clock was stepped by ntpsd: what was answered before is void. */
  clockStepped(now: MonotonicSeconds): void {
    this.#suspicion.askAnew(now);
  }

  /** The clock was changed by others; to be told before what is known of it is forgotten. */
  clockChanged(gained: Seconds, now: MonotonicSeconds): void {
    this.#suspicion.clockChanged(gained, { known: this.#knownAt(now), now });
  }

  /** Takes a measurement; tells whether the survey has to do with it. */
  measured(measurement: Measurement, from: { id: AssociationId; now: Instant }): boolean {
    if (!this.isUnderWay) return false;
    const { offset, delay } = offsetAndDelay(measurement);
    return this.#suspicion.answered(from.id, {
      offset: offset + this.#parts.discipline.correctionAt(from.now.monotonic),
      delay,
      sentAt: monotonicOf(measurement.originTimestamp, from.now),
    });
  }

  /**
   * Returns how many samples of a source the start gate is to count: one is enough, unless the time
   * itself is to be found anew.
   */
  samplesOf(id: AssociationId): number {
    const { count = 0 } = this.#suspicion.answers.get(id) ?? {};
    return count > 0 && this.#parts.selection.hasDecided ? Infinity : count;
  }

  /**
   * Returns the time that is missing if the sources confirm it now, once. With the word of the
   * hardware clock a majority of those that answer is enough for that, however few they are, but
   * for sources that were wrong before; what speaks against it counts as a time does.
   */
  conclude(now: Instant): Seconds | undefined {
    if (!this.isUnderWay || this.#suspicion.answers.size === 0) return undefined;
    const known = this.#knownAt(now.monotonic);
    const members = this.#parts.provisional.released(this.#parts.sources.members);
    const time = this.#shownBy(members, { now });
    if (time !== undefined) return this.#suspicion.end(time, known);
    const right = members.filter(({ association }) => !this.#disputed.includes(association.id));
    const few = this.#shownBy(right, { now, minimum: 1 });
    if (few === undefined || !this.#suspicion.explains(few, known)) return undefined;
    return this.#suspicion.end(few, known);
  }

  /** The offset on which enough of some sources agree that have answered. */
  #shownBy(
    members: readonly MemberOfSource[],
    { now, ...limits }: { readonly now: Instant; readonly minimum?: number },
  ): Seconds | undefined {
    const { selection, provisional: known, discipline } = this.#parts;
    const { answers } = this.#suspicion;
    const correction = discipline.correctionAt(now.monotonic);
    const sourceAt = (id: AssociationId) => {
      const answer = answers.get(id);
      return answer && estimateOf(answer, { correction, now: now.monotonic });
    };
    const estimates = { sourceAt, systemAt: () => undefined };
    const { systemPeer } = selection.survey(members, {
      ...{ now, known, discipline: estimates },
      ...limits,
    });
    return systemPeer === undefined ? undefined : answers.get(systemPeer)?.offset;
  }

  #knownAt(now: MonotonicSeconds): Seconds | undefined {
    const { discipline } = this.#parts;
    const estimate = discipline.systemAt(now);
    return estimate && estimate.offset + discipline.correctionAt(now);
  }
}

/** What a source shows by its newest answer alone. */
function estimateOf(
  { offset, delay, sentAt }: Answer,
  { correction, now }: { readonly correction: Seconds; readonly now: MonotonicSeconds },
): SourceEstimate {
  return {
    offset: offset - correction,
    uncertainty: WANDER_MAX * Math.max(0, now - sentAt) / SIGMA_MULTIPLIER,
    delay: Math.max(0, delay),
    sampleError: 0,
    jitter: 0,
    frequencyVariance: 0,
    likelyWanderVariance: 0,
    samples: 1,
    isOutlier: false,
    mayDrift: false,
  };
}
