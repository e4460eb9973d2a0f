/**
 * What sources with Network Time Security say of the time, whether they may be used already or are
 * held back.
 *
 * @module
 */
import type { Instant } from "../../base/instant.ts";
import type { MonotonicSeconds } from "../../base/units.ts";
import type { Discipline, SystemEstimate } from "../../discipline/discipline.ts";
import type { BootstrapMeasurement } from "./certificate_time.ts";
import { rootDistance } from "../../selection/root_distance.ts";
import type { Action } from "../events.ts";
import type { SourceSelection } from "../sources/source_selection.ts";
import type { ProvisionalTime } from "./provisional_time.ts";
import { unixSecondsOf } from "./told_time.ts";
import type { MemberOfSource } from "../sources/source_set.ts";

/**
 * Tells the watch over provisional certificates what was measured and what is believed; returns
 * what is to be done.
 */
export function followCertificates(
  provisional: ProvisionalTime,
  about: {
    readonly members: readonly MemberOfSource[];
    readonly discipline: Discipline;
    readonly isVouchedFor: boolean;
    readonly now: Instant;
  },
): readonly Action[] {
  const { members, discipline, now: { monotonic, realtime } } = about;
  const clock = unixSecondsOf(realtime);
  const offset = about.isVouchedFor ? discipline.systemAt(monotonic)?.offset : undefined;
  const evidence = certificateEvidence(members, { discipline, now: monotonic });
  return provisional.measured(evidence, { clock, offset, members });
}

/**
 * Tells it of the time that the clock follows, if that is vouched for; returns what is to be done.
 */
export function followVouchedTime(
  provisional: ProvisionalTime,
  about: {
    readonly estimate: SystemEstimate;
    readonly isVouchedFor: boolean;
    readonly now: Instant;
  },
): readonly Action[] {
  const { estimate, isVouchedFor, now: { monotonic, realtime } } = about;
  return isVouchedFor
    ? provisional.vouched(unixSecondsOf(realtime) + estimate.offset, monotonic)
    : [];
}

/**
 * Wants newer keys of sources that tell a time outside of their own certificate: it may be an old
 * one by now, for a clock that stood still.
 */
export function renewMisdated(
  members: readonly MemberOfSource[],
  about: {
    readonly provisional: ProvisionalTime;
    readonly selection: Pick<SourceSelection, "impossible">;
    readonly now: MonotonicSeconds;
  },
): void {
  const { provisional, selection: { impossible }, now } = about;
  for (const { association: { id, protection } } of members) {
    const isMisdated = impossible.get(id)?.kind === "outside-own-certificate" ||
      provisional.isMisdated(id);
    if (isMisdated) protection?.renewKeys?.(now);
  }
}

/**
 * Returns the offset of each such source now, with the most by which it may be wrong; those without
 * samples are left out.
 */
function certificateEvidence(
  members: readonly MemberOfSource[],
  context: { readonly discipline: Discipline; readonly now: MonotonicSeconds },
): ReadonlyMap<number, BootstrapMeasurement> {
  const evidence = new Map<number, BootstrapMeasurement>();
  for (const { association: { id, protection, history: { serverState } } } of members) {
    if (protection?.authentication !== "nts" || serverState === undefined) continue;
    const estimate = context.discipline.sourceAt(id, context.now);
    if (estimate === undefined) continue;
    const error = rootDistance(serverState, estimate).distance;
    if (Number.isFinite(estimate.offset) && error >= 0) {
      evidence.set(id, { offset: estimate.offset, error });
    }
  }
  return evidence;
}
