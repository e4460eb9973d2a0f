/**
 * The reference of our own time: the system peer as it was when it was last chosen, and what the
 * sources that agree with it add.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import type { Seconds } from "../../base/units.ts";
import { formatReferenceId, referenceIdOfAddress } from "../../protocol/reference_id.ts";
import { rootDistance, supportedDistance } from "../../selection/root_distance.ts";
import type { Selection } from "../../selection/select.ts";
import type { SelectionContext } from "./candidates.ts";
import { leapByMajority } from "../leap/leap_vote.ts";
import type { MemberOfSource } from "./source_set.ts";
import type { Reference } from "../status/system_variables.ts";

/**
 * Describes the reference that the system peer of a selection is; undefined when it was never
 * measured. `previous` is the reference so far.
 */
export function referenceOf(
  peer: MemberOfSource,
  context: SelectionContext & {
    readonly supported: Seconds;
    readonly previous: Reference | undefined;
  },
): Reference | undefined {
  const { association } = peer;
  const server = association.history.serverState;
  const estimate = context.discipline.sourceAt(association.id, context.now.monotonic);
  if (server === undefined || estimate === undefined) return undefined;
  const stratum = server.stratum + 1;
  return {
    association: association.id,
    ...identifierOf(association, { stratum, previous: context.previous }),
    stratum,
    server,
    delay: estimate.delay,
    supported: context.supported,
    updatedAt: association.history.lastResponseAt ?? context.now.monotonic,
    referenceTime: context.now.realtime,
  };
}

/** That of an IPv6 address is a digest: it is made when the peer or its stratum changes. */
function identifierOf(
  { id, address }: Association,
  { stratum, previous }: { readonly stratum: number; readonly previous: Reference | undefined },
): Pick<Reference, "referenceId" | "referenceIdText"> {
  if (previous?.association === id && previous.stratum === stratum) {
    const { referenceId, referenceIdText } = previous;
    return { referenceId, referenceIdText };
  }
  const referenceId = referenceIdOfAddress(address.address) ?? 0;
  const { family } = address;
  return { referenceId, referenceIdText: formatReferenceId(referenceId, { stratum, family }) };
}

/**
 * Returns how wrong our time may be, as most of those stand behind that agree; where sources are
 * trusted these alone count. It is no less than what most of them differ by from the joint
 * estimate.
 */
export function supportedBy(
  members: readonly MemberOfSource[],
  { agreed }: Selection,
  { discipline, now }: SelectionContext,
): Seconds {
  const all = members.filter(({ association }) => agreed.includes(association.id));
  const trusted = all.filter(({ config }) => config.trust);
  const agreeing = trusted.length > 0 ? trusted : all;
  const joint = discipline.systemAt(now.monotonic)?.offset;
  const distances: Seconds[] = [], differences: Seconds[] = [];
  for (const { association: { id, history: { serverState } } } of agreeing) {
    const estimate = discipline.sourceAt(id, now.monotonic);
    if (estimate === undefined) continue;
    const { delay, offset } = estimate;
    if (joint !== undefined) differences.push(Math.abs(offset - joint));
    if (serverState === undefined) continue;
    distances.push(rootDistance(serverState, { delay, uncertainty: 0 }).distance);
  }
  // the middle one of what they differ by; of two the larger
  const disagreement = differences.sort((a, b) => a - b)[differences.length >> 1] ?? 0;
  return Math.max(supportedDistance(distances), disagreement);
}

/**
 * Returns the leap second that the majority announces: of the trusted sources where these agree,
 * though others be preferred; else of those that are followed.
 */
export function announcedLeap(
  members: readonly MemberOfSource[],
  { agreed, survivors }: Selection,
): LeapIndicator {
  const trusted = members.filter(({ association, config }) =>
    config.trust && agreed.includes(association.id)
  );
  const voters = trusted.length > 0
    ? trusted
    : members.filter(({ association }) => survivors.includes(association.id));
  const words: LeapIndicator[] = [];
  for (const { association: { history: { serverState } } } of voters) {
    if (serverState !== undefined) words.push(serverState.leapIndicator);
  }
  return leapByMajority(words);
}
