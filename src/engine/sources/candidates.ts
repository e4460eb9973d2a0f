/**
 * Describes the members of all sources as selection sees them.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import type { Instant } from "../../base/instant.ts";
import { formatAddress } from "../../base/socket_address.ts";
import type { Seconds, UnixSeconds } from "../../base/units.ts";
import { isAuthenticated } from "../../config/config.ts";
import type { Discipline } from "../../discipline/discipline.ts";
import type { Candidate, Contradiction } from "../../selection/candidate.ts";
import type { Doubt } from "../../selection/doubt.ts";
import { followsUs, isOurselves, type OwnIdentity } from "../../selection/loop.ts";
import { rootDistance } from "../../selection/root_distance.ts";
import type { ToldTime } from "../authenticated_time/told_time.ts";
import { unixSecondsOf } from "../authenticated_time/told_time.ts";
import { silenceOf } from "../reports/silence.ts";
import type { SourceFaults } from "./source_faults.ts";
import type { MemberOfSource } from "./source_set.ts";

/** What a selection depends on besides the sources. */
export interface SelectionContext {
  /** The moment. */
  readonly now: Instant;
  /** The local clock at that moment; found when it is needed if left out. */
  readonly clock?: UnixSeconds;
  /** What is known of every source, and of all together. */
  readonly discipline: Pick<Discipline, "sourceAt" | "systemAt">;
  /** What is known of the time whatever the sources say; nothing if left out. */
  readonly known?: KnownTime;
  /**
   * How many servers are measured and have no vote yet, because their certificates are provisional;
   * none if left out.
   */
  readonly heldBack?: number;
}

/** Knows which times cannot be. */
export interface KnownTime {
  /** Says why the time that a source tells cannot be; undefined when it can. */
  contradictionOf(source: Association, told: ToldTime): Contradiction | undefined;
}

/**
 * Describes a member; `own` is by what we recognise ourselves, `identities` are what its server is
 * known by, `doubt` is what the last selection found against it.
 */
export function candidateOf(
  member: MemberOfSource,
  { context, own, identities, faults, doubt }: {
    readonly context: SelectionContext;
    readonly own: OwnIdentity;
    readonly identities: readonly string[];
    readonly faults: SourceFaults;
    readonly doubt?: Doubt | undefined;
  },
): Candidate {
  const { association, config } = member;
  const { now } = context;
  const estimate = context.discipline.sourceAt(association.id, now.monotonic);
  const server = association.history.serverState;
  const distance = server && estimate ? rootDistance(server, estimate).distance : Infinity;
  return {
    id: association.id,
    name: memberName(member),
    offset: estimate?.offset ?? 0,
    uncertainty: estimate?.uncertainty ?? Infinity,
    rootDistance: distance,
    jitter: estimate?.jitter ?? Infinity,
    samples: estimate?.samples ?? 0,
    stratum: server?.stratum ?? 16,
    isReachable: association.history.isReachable,
    unanswered: association.history.unansweredRequests,
    silence: silenceOf(association),
    isSynchronized: server?.isSynchronized ?? false,
    isDenied: association.isDenied,
    isLoop: isOurselves(association.address, own) ||
      server?.isSynchronized === true && followsUs(server, own),
    noSelect: config.noSelect,
    prefer: config.prefer,
    trust: config.trust,
    require: config.require,
    isAuthenticated: isAuthenticated(config),
    identities,
    faults: faults.isLeftOut(association.id, now.monotonic) ? faults.count(association.id) : 0,
    doubt,
    contradiction: contradictionOf(association, { context, estimate, error: distance }),
  };
}

/** How sentences call a member: one of a pool by its address too. */
export function memberName({ association, group }: MemberOfSource): string {
  if (group.wanted <= 1) return association.name;
  return `${association.name} (${formatAddress(association.address)})`;
}

/** Says why the time that a source tells cannot be. */
function contradictionOf(
  association: Association,
  { context: { known, now, clock }, estimate, error }: {
    readonly context: SelectionContext;
    readonly estimate: { readonly offset: Seconds } | undefined;
    readonly error: Seconds;
  },
): Contradiction | undefined {
  if (known === undefined || !Number.isFinite(estimate?.offset) || !(error >= 0)) return undefined;
  const time = (clock ?? unixSecondsOf(now.realtime)) + (estimate?.offset ?? 0);
  return known.contradictionOf(association, { time, error, at: now.monotonic });
}
