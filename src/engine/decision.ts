/**
 * The decision of the engine: select among the sources, combine those that are believed, steer the
 * clock by them.
 *
 * The three belong together, so that no source is ever selected without a joint estimate (RFC 5905
 * sections 11.2 and 11.3). What hangs on a time that is believed follows at once: leap seconds,
 * certificates that wait for it, the frequency that is kept. Limits: when to decide is the engine's
 * affair.
 *
 * @module
 */
import { addSeconds } from "../base/ntp_timestamp.ts";
import type { SynchronizationConfig } from "../config/config.ts";
import type { SystemEstimate } from "../discipline/discipline.ts";
import {
  followCertificates,
  followVouchedTime,
  renewMisdated,
} from "./authenticated_time/certificate_evidence.ts";
import { ProvenCorrection } from "./authenticated_time/proven_correction.ts";
import { isHeldBack } from "./authenticated_time/provisional_time.ts";
import type { ClockState } from "./clock/clock_state.ts";
import type { DecisionGate } from "./decision_gate.ts";
import { DriftKeeper } from "./clock/drift_keeper.ts";
import { type EngineParts, guardSource } from "./engine_parts.ts";
import type { Action, AssociationId, EventOf, Instant } from "./events.ts";
import { type UpdateRecord, UpdateRecorder } from "./status/update_record.ts";

/** Decides for one engine. */
export class Decision {
  readonly #parts: EngineParts;
  readonly #clock: ClockState;
  readonly #gate: Pick<DecisionGate, "isAboutToOpen">;
  readonly #correction = new ProvenCorrection();
  readonly #drift = new DriftKeeper();
  readonly #updates = new UpdateRecorder();
  #authentication: SynchronizationConfig["authentication"];
  /** How many sources could not be followed when that was looked at last. */
  #lostCount = 0;

  /** Decides nothing yet. */
  constructor(
    parts: EngineParts,
    { clock, gate, authentication }: Pick<SynchronizationConfig, "authentication"> & {
      readonly clock: ClockState;
      readonly gate: Pick<DecisionGate, "isAboutToOpen">;
    },
  ) {
    this.#parts = parts;
    this.#clock = clock;
    this.#gate = gate;
    this.#authentication = authentication;
  }

  /** How far the clock was off when it was corrected. */
  get updates(): UpdateRecord {
    return this.#updates.record;
  }

  /** Takes over what the administrator makes of authentication. */
  reconfigure({ authentication }: Pick<SynchronizationConfig, "authentication">): void {
    this.#authentication = authentication;
  }

  /**
   * Selects, combines and steers; `newest` is the source of a measurement that is new, none if left
   * out.
   */
  decide(now: Instant, newest?: AssociationId): readonly Action[] {
    const { control, selection, discipline, leaps } = this.#parts;
    const actions = [...this.#select(now)];
    if (!selection.selected) {
      // a sample may have shown that what the kernel was told is wrong
      control.noteStatus(this.#clock.kernelStatus(now), now.monotonic);
      return [...actions, ...this.#followCertificates(now)];
    }
    this.#noteVouching();
    const combined = this.#combine(now, newest);
    actions.push(...combined.actions);
    // a source was dropped over it, so that the selection is made again without it
    if (combined.isNew === undefined) return [...actions, ...this.decide(now)];
    actions.push(...this.#followCertificates(now));
    const estimate = discipline.systemAt(now.monotonic);
    const best = addSeconds(now.realtime, estimate?.offset ?? 0);
    actions.push(...leaps.compare(selection.leap, best));
    if (estimate === undefined || !combined.isNew) return actions;
    return [...actions, ...this.#steer(estimate, now)];
  }

  /** Decides without a new measurement, if there was a decision before and none is to come soon. */
  decideAgain(now: Instant): readonly Action[] {
    const { hasDecided } = this.#parts.selection;
    return hasDecided && !this.#gate.isAboutToOpen ? this.decide(now) : [];
  }

  /** Decides again when a source was lost or came back without a measurement. */
  decideIfSourcesLeft(now: Instant): readonly Action[] {
    const { sources: { members }, selection } = this.#parts;
    const lost =
      members.filter((one) => !one.association.history.isReachable || isHeldBack(one)).length;
    if (lost === this.#lostCount && !selection.hasLost) return [];
    this.#lostCount = lost;
    return this.decideAgain(now);
  }

  /** Decides again when a server says that it has lost the time, which is believed at once. */
  decideIfOvertaken(id: AssociationId, now: Instant): readonly Action[] {
    const { sources, selection } = this.#parts;
    const member = sources.members.find(({ association }) => association.id === id);
    return member !== undefined && selection.isOvertaken(member) ? this.decideAgain(now) : [];
  }

  /** Draws the conclusions from certificates that were verified at the time that was found. */
  certificatesVerified(
    event: EventOf<"certificates-verified">,
    now: Instant,
  ): readonly Action[] {
    const { sources, provisional, selection } = this.#parts;
    const { members } = sources;
    const verified = provisional.verified(event, { members, now: now.monotonic });
    const actions = [...verified.actions];
    for (const { association: id, reason } of verified.refused) {
      const member = members.find(({ association }) => association.id === id);
      actions.push(...member?.group.giveUp(id, { reason, now: now.monotonic }) ?? []);
    }
    if (verified.hasReleased && !selection.selected) sources.requestBurst(now.monotonic);
    return actions;
  }

  /** Leaves the clock at its own best frequency, and keeps that for the next start. */
  finish(now: Instant): readonly Action[] {
    const { control, discipline } = this.#parts;
    const estimate = discipline.systemAt(now.monotonic);
    return [
      ...control.finalCommand(estimate, this.#clock.kernelStatus(now)),
      ...(control.hasPanicked ? [] : this.#drift.finish(estimate)),
    ];
  }

  #select(now: Instant): readonly Action[] {
    const { sources, selection, discipline, provisional } = this.#parts;
    const members = provisional.released(sources.members);
    const heldBack = sources.members.length - members.length;
    const actions = selection.select(members, { now, discipline, known: provisional, heldBack });
    renewMisdated(sources.members, { provisional, selection, now: now.monotonic });
    for (const { association, group } of members) {
      const isFalseticker = selection.falsetickers.includes(association.id);
      group.noteFalseticker(association.id, isFalseticker ? now.monotonic : undefined);
    }
    return actions;
  }

  /** An authenticated time may correct at once, and any way, what was followed for want of it. */
  #noteVouching(): void {
    const { selection, control, discipline } = this.#parts;
    if (!this.#correction.look(selection.isVouchedFor, this.#authentication)) return;
    control.restart();
    discipline.forgetOthers();
  }

  /**
   * Makes the joint estimate; whether it is new is undefined when that failed, at the cost of one
   * of the sources.
   */
  #combine(now: Instant, newest: AssociationId | undefined) {
    const { selection: { believed, trusted, disputed, possible }, discipline } = this.#parts;
    let isNew: boolean | undefined;
    const actions = guardSource(this.#parts, {
      association: newest ?? believed[0] ?? 0,
      now,
      run: () => {
        isNew = discipline.combine(believed, {
          ...{ newest, trusted, disputed },
          possible: possible && { ...possible, at: now.monotonic },
        });
        return [];
      },
    });
    return { actions, isNew };
  }

  /** Lets the clock follow an estimate, and what depends on a time that is followed. */
  #steer(estimate: SystemEstimate, now: Instant): readonly Action[] {
    const { control, selection: { isVouchedFor }, provisional } = this.#parts;
    this.#updates.note(estimate.offset);
    const actions = control.update(estimate, this.#clock.steering(now));
    if (control.hasPanicked) return actions;
    return [
      ...actions,
      ...followVouchedTime(provisional, { estimate, isVouchedFor, now }),
      ...this.#drift.consider(estimate, now.monotonic),
    ];
  }

  /** Tells the watch over provisional certificates what was measured and what is believed. */
  #followCertificates(now: Instant): readonly Action[] {
    const { sources: { members }, discipline, selection, provisional } = this.#parts;
    const { isVouchedFor } = selection;
    return followCertificates(provisional, { members, discipline, isVouchedFor, now });
  }
}
