/**
 * When decisions may be made: at the start, and after the clock was changed, not before the sources
 * have had their chance; and whether they show that the machine stood still.
 *
 * The two belong together: a suspicion that the machine stood still holds decisions back as a start
 * does, and the sources that are awaited are those that confirm it.
 *
 * @module
 */
import type { Measurement } from "../association/measurement.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import { StandstillSurvey } from "./clock/standstill_survey.ts";
import type { EngineParts } from "./engine_parts.ts";
import type { AssociationId, Instant } from "./events.ts";
import { StartGate } from "./sources/start_gate.ts";

/** What the sources have shown when the gate opens. */
export interface Opening {
  /** The source of the newest measurement. */
  readonly newest: AssociationId;
  /** For how long the machine stood still; undefined if it did not. */
  readonly missing: Seconds | undefined;
}

/** Holds the decisions of one engine back. */
export class DecisionGate {
  readonly #parts: EngineParts;
  readonly #gate = new StartGate();
  readonly #standstill: StandstillSurvey;
  /** The source of the newest measurement since the gate was closed. */
  #newest: AssociationId | undefined = undefined;

  /** It is closed until sources have answered. */
  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#standstill = new StandstillSurvey(parts);
  }

  /** Whether decisions may be made. */
  get isOpen(): boolean {
    return this.#gate.isOpen;
  }

  /**
   * Whether it opens within seconds, even without any event: the filters know already what some
   * sources say since it was closed, and no decision may come before that of the opening.
   */
  get isAboutToOpen(): boolean {
    return Number.isFinite(this.nextCheckAt);
  }

  /** When `open` may find it open without any event; Infinity for never. */
  get nextCheckAt(): MonotonicSeconds {
    return this.#gate.nextCheckAt;
  }

  /**
   * Takes a measurement, before the filters do; returns for how long the machine stood still where
   * this is known now, once.
   */
  measured(
    measurement: Measurement,
    from: { readonly id: AssociationId; readonly now: Instant },
  ): Seconds | undefined {
    const isAwaited = this.#standstill.measured(measurement, from);
    if (isAwaited || !this.#standstill.isUnderWay) this.#newest = from.id;
    return isAwaited && this.isOpen ? this.#standstill.conclude(from.now) : undefined;
  }

  /** Opens it, once, when no source is to be waited for any more. */
  open(now: Instant): Opening | undefined {
    if (this.isOpen || this.#newest === undefined) return undefined;
    const { sources, discipline } = this.#parts;
    const samplesOf = this.#standstill.isUnderWay
      ? (id: AssociationId) => this.#standstill.samplesOf(id)
      : (id: AssociationId) => discipline.sourceAt(id, now.monotonic)?.samples ?? 0;
    if (!this.#gate.check(sources.progress(samplesOf), now.monotonic)) return undefined;
    return { newest: this.#newest, missing: this.#standstill.conclude(now) };
  }

  /**
   * Closes it so that the sources can confirm that the machine stood still; one answer each is
   * enough for that. Tells whether the suspicion is a new one: a hardware clock that jumps all the
   * time must not put off answers and decisions each time.
   */
  suspectStandstill(missing: Seconds, now: MonotonicSeconds): boolean {
    const isNew = !this.#standstill.isUnderWay;
    if (isNew) this.#close();
    this.#standstill.suspect(missing, now);
    return isNew;
  }

  /** The clock was stepped by ntpsd. */
  clockStepped(now: MonotonicSeconds): void {
    this.#standstill.clockStepped(now);
  }

  /** The clock was changed by others; to be told before what is known of it is forgotten. */
  clockChanged(gained: Seconds, now: MonotonicSeconds): void {
    this.#standstill.clockChanged(gained, now);
    this.#close();
  }

  #close(): void {
    this.#gate.close();
    this.#newest = undefined;
  }
}
