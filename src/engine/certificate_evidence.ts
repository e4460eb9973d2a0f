/**
 * What sources with Network Time Security say of the time, whether they may be used already or are held back.
 *
 * @module
 */
import type { MonotonicSeconds } from "../base/units.ts";
import type { Discipline } from "../discipline/discipline.ts";
import type { BootstrapMeasurement } from "../nts/time_bootstrap.ts";
import { rootDistance } from "../selection/root_distance.ts";
import type { MemberOfSource } from "./source_set.ts";

/** Returns the offset of each such source now, with the most by which it may be wrong; those without samples are left out. */
export function certificateEvidence(
  members: readonly MemberOfSource[],
  context: { readonly discipline: Discipline; readonly now: MonotonicSeconds },
): ReadonlyMap<number, BootstrapMeasurement> {
  const evidence = new Map<number, BootstrapMeasurement>();
  for (const { association: { id, protection, serverState } } of members) {
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
