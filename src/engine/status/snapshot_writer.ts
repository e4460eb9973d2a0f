/**
 * Writes the engine's state down for readers, in the names and units of the contract.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import { offsetAndDelay } from "../../association/exchange.ts";
import type { ServerHistory } from "../../association/server_history.ts";
import { type NtpTimestamp, toUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import { formatSocketAddress } from "../../base/socket_address.ts";
import { type MonotonicSeconds, PPM } from "../../base/units.ts";
import type { SourceConfig, SynchronizationConfig } from "../../config/config.ts";
import type { Discipline } from "../../discipline/discipline.ts";
import type { SourceGroup } from "../../association/source_group.ts";
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";

import { formatReferenceId, LOCAL_REFERENCE_ID } from "../../protocol/reference_id.ts";
import { formatUtc } from "../../base/utc.ts";
import type { SelectionContext } from "../sources/candidates.ts";
import type { SourceSelection } from "../sources/source_selection.ts";
import { describeNts, REFERENCE_ERA } from "./nts_document.ts";
import type { ProvisionalTime } from "../authenticated_time/provisional_time.ts";
import { rootDistance } from "../../selection/root_distance.ts";
import type { SourceStatus } from "../../selection/status.ts";
import { type EngineSnapshot, isTimeKnown, type SourceDocument } from "./snapshot.ts";
import {
  type DescribedSource,
  type PeerVariables,
  peerVariables,
  type RecentSamples,
} from "./peer_variables.ts";
import { silenceOf } from "../reports/silence.ts";
import type { SourceFaults } from "../sources/source_faults.ts";
import type { MemberOfSource } from "../sources/source_set.ts";
import {
  type ErrorBudget,
  errorBudget,
  type Knowledge,
  type StateDescription,
  stateReason,
  STRATUM_UNSYNCHRONIZED,
  systemState,
  withLocalReference,
} from "./system_variables.ts";

/** What a snapshot is made from. */
export interface SnapshotInput {
  /** The boot-time clock, for ages and estimates. */
  readonly now: MonotonicSeconds;
  /** The real-time clock at the same moment, for dates. */
  readonly realtime: NtpTimestamp;
  /** What the variables were computed from. */
  readonly knowledge: Knowledge;
  /** The limits in force. */
  readonly synchronization: SynchronizationConfig;
  /** In the order of the configuration. */
  readonly entries: readonly { readonly config: SourceConfig; readonly group: SourceGroup }[];
  /** Asked for the estimate of each source. */
  readonly discipline: Discipline;
  /** Asked for the status of each source. */
  readonly selection: SourceSelection;
  /** What went wrong with sources inside ntpsd. */
  readonly faults: SourceFaults;
  /** The leap second that is believed to come. */
  readonly leap: LeapIndicator;
  /** Asked why a source is held back. */
  readonly provisional: ProvisionalTime;
  /** The sum is one of absolute values. */
  readonly steps: { readonly count: number; readonly accumulatedSeconds: number };
  /** Whether the clock may be adjusted: configured and permitted. */
  readonly mayAdjust: boolean;
}

/** The input, and what follows from it. */
interface Snapshot extends SnapshotInput {
  /** Undefined before the first update. */
  readonly budget: ErrorBudget | undefined;
  /** The state by the sources, without `local-stratum`. */
  readonly state: StateDescription;
}

/** Writes the whole snapshot. */
export function makeSnapshot(given: SnapshotInput): EngineSnapshot {
  const { knowledge } = given;
  const { estimate } = knowledge;
  const known = errorBudget(knowledge);
  const input: Snapshot = { ...given, budget: known, state: stateOf(given, known) };
  const { state, reason, isLocal } = withLocalReference(
    input.state,
    input.synchronization.localStratum,
  );
  // A clock that counts as right has no error to tell of.
  const budget = isLocal ? undefined : input.budget;
  return {
    state,
    adjusting: input.mayAdjust,
    why: reason,
    ...(isLocal ? localReference(input) : describeReference(input)),
    offsetSeconds: estimate?.offset ?? null,
    frequencyPpm: (estimate?.frequency ?? input.discipline.rate) / PPM,
    skewPpm: estimate === undefined ? null : Math.sqrt(estimate.likelyFrequencyVariance) / PPM,
    rootDelaySeconds: budget?.rootDelay ?? 0,
    rootDispersionSeconds: budget?.rootDispersion ?? 0,
    errorBoundSeconds: budget?.errorBound ?? null,
    updateIntervalSeconds: updateInterval(input),
    steps: input.steps,
    sources: describeSources(input).map(({ document }) => document),
  };
}

/** Describes each source and its servers, in the order of the snapshot, with what belongs to it. */
export function makePeers(input: SnapshotInput, recent: RecentSamples): readonly PeerVariables[] {
  const samplesOf = (id: number) => input.discipline.sourceAt(id, input.now)?.samples ?? 0;
  return describeSources(input).map((row) => peerVariables(row, { recent, samplesOf }));
}

function stateOf(input: SnapshotInput, budget: ErrorBudget | undefined): StateDescription {
  const { provisional, selection, knowledge } = input;
  const members = provisional.released(
    input.entries.flatMap(({ config, group }) =>
      group.members.map((association) => ({ config, group, association }))
    ),
  );
  const absent = input.entries.filter(({ group }) => group.members.length === 0)
    .map(({ config, group }) => ({ name: config.address, error: group.error }));
  const noSelection = provisional.reason ??
    selection.reasonOf(members, { ...contextOf(input), absent });
  return {
    state: systemState(knowledge, budget),
    reason: stateReason(knowledge, { budget, noSelection }),
  };
}

type ReferenceDescription = Pick<
  EngineSnapshot,
  "stratum" | "leap" | "referenceId" | "referenceTime"
>;

function describeReference(input: Snapshot): ReferenceDescription {
  const { reference } = input.knowledge;
  const usable = reference !== undefined && isTimeKnown(input.state.state);
  return {
    stratum: usable ? Math.min(reference.stratum, STRATUM_UNSYNCHRONIZED) : STRATUM_UNSYNCHRONIZED,
    leap: usable ? input.leap : "unknown",
    referenceId: usable ? reference.referenceIdText : "INIT",
    referenceTime: reference === undefined ? null : textOf(reference.referenceTime),
  };
}

/** Says what is served without a source (`local-stratum`). */
function localReference({ synchronization }: SnapshotInput): ReferenceDescription {
  const { localStratum = STRATUM_UNSYNCHRONIZED, referenceId } = synchronization;
  return {
    stratum: localStratum,
    leap: "none",
    referenceId: referenceId ?? formatReferenceId(LOCAL_REFERENCE_ID, { stratum: localStratum }),
    // Nothing updates a clock that counts as right.
    referenceTime: null,
  };
}

function textOf(time: NtpTimestamp): string {
  return formatUtc(toUnixNanoseconds(time, REFERENCE_ERA));
}

function updateInterval(input: SnapshotInput): number | null {
  const { reference } = input.knowledge;
  if (reference === undefined) return null;
  const member = input.entries
    .map(({ group }) => group.member(reference.association))
    .find((association) => association !== undefined);
  return member === undefined ? null : 2 ** member.poll;
}

function describeSources(input: SnapshotInput): readonly DescribedSource[] {
  return input.entries.flatMap((entry) => describeSource(entry, input));
}

function describeSource(
  entry: { readonly config: SourceConfig; readonly group: SourceGroup },
  input: SnapshotInput,
): readonly DescribedSource[] {
  const { config, group } = entry;
  // what went wrong with the source as a whole is told with its first row
  const whole = input.faults.count(config.address);
  if (group.members.length === 0) {
    const document = withFaults(describeAbsent(entry, input), whole);
    return [{ document, config, association: undefined }];
  }
  return group.members.map((association, i) => {
    const faults = input.faults.count(association.id) + (i === 0 ? whole : 0);
    const document = withFaults(describeSafely({ config, group, association }, input), faults);
    return { document, config, association };
  });
}

/**
 * The document is there to find faults: one row that cannot be written must not hide the others.
 */
function describeSafely(member: MemberOfSource, input: SnapshotInput): SourceDocument {
  try {
    return describeMember(member, input);
  } catch (error) {
    const reason = `Cannot be described (internal-error): ${String(error).slice(0, 200)}`;
    return { ...describeAbsent(member, input), status: "distant", reason };
  }
}

function withFaults(document: SourceDocument, faults: number): SourceDocument {
  if (faults === 0) return document;
  return { ...document, dropped: { ...document.dropped, "internal-error": faults } };
}

function describeAbsent(
  entry: { readonly config: SourceConfig; readonly group: SourceGroup },
  input: SnapshotInput,
): SourceDocument {
  const { config, group } = entry;
  return {
    name: config.address,
    address: null,
    mode: config.mode,
    status: group.error === undefined ? "starting" : "unreachable",
    reason: group.error ??
      (authenticationOf(config) === "nts"
        ? "Keys are being exchanged"
        : "The name is being looked up"),
    reach: 0,
    stratum: null,
    referenceId: null,
    pollSeconds: 2 ** config.initialPollInterval,
    lastReplySecondsAgo: null,
    offsetSeconds: null,
    delaySeconds: null,
    dispersionSeconds: null,
    jitterSeconds: null,
    errorBoundSeconds: null,
    timestamping: null,
    authentication: authenticationOf(config),
    nts: describeNts(entry, input),
    sent: 0,
    sendFailures: 0,
    received: 0,
    dropped: {},
  };
}

function describeMember(member: MemberOfSource, input: SnapshotInput): SourceDocument {
  const { config, association } = member;
  const estimate = input.discipline.sourceAt(association.id, input.now);
  const { dropped, lastResponseAt, lastMeasurement, reach, received, serverState: server } =
    association.history;
  const { family } = association.address;
  return {
    name: config.address,
    address: formatSocketAddress(association.address),
    mode: config.mode,
    ...withSilence(statusOf(member, input), association),
    reach,
    stratum: server === undefined ? null : statedStratum(server.stratum),
    referenceId: server === undefined
      ? null
      : formatReferenceId(server.referenceId, { stratum: server.stratum, family }),
    pollSeconds: 2 ** association.poll,
    lastReplySecondsAgo: lastResponseAt === undefined
      ? null
      : Math.max(0, input.now - lastResponseAt),
    ...describeEstimate(estimate, server),
    timestamping: lastMeasurement?.timestamping ?? null,
    measuredOffsetSeconds: lastMeasurement === undefined
      ? null
      : offsetAndDelay(lastMeasurement).offset,
    authentication: authenticationOf(config),
    nts: describeNts(member, input),
    sent: association.sent,
    sendFailures: association.sendFailures,
    received,
    dropped: dropped.snapshot(),
  };
}

function describeEstimate(
  estimate: ReturnType<Discipline["sourceAt"]>,
  server: ServerHistory["serverState"],
) {
  return {
    offsetSeconds: estimate?.offset ?? null,
    delaySeconds: estimate?.delay ?? null,
    dispersionSeconds: estimate?.uncertainty ?? null,
    jitterSeconds: estimate?.jitter ?? null,
    errorBoundSeconds: estimate === undefined || server === undefined
      ? null
      : rootDistance(server, estimate).distance,
  };
}

/** A stratum that there is not says that the server has no time (RFC 5905 A.5.1.1). */
function statedStratum(stratum: number): number {
  return stratum >= 1 && stratum < STRATUM_UNSYNCHRONIZED ? stratum : STRATUM_UNSYNCHRONIZED;
}

/** A server that is not reached is told of by what is wrong on the way, when that is known. */
function withSilence({ status, reason }: SourceStatus, association: Association): SourceStatus {
  const isMissed = status === "unreachable" || status === "starting";
  const known = isMissed ? silenceOf(association) : association.lastSendFailure;
  return { status, reason: known ?? reason };
}

function authenticationOf(config: SourceConfig): "none" | "nts" | "mac" {
  if (config.mode === "nts" || config.mode === "nts-pool") return "nts";
  return config.key === undefined ? "none" : "mac";
}

/** A source that is held back has no part in the selection. */
function statusOf(member: MemberOfSource, input: SnapshotInput): SourceStatus {
  const { association } = member;
  if (association.protection?.isProvisional === true) {
    return { status: "starting", reason: input.provisional.reasonOf(association.id) };
  }
  return input.selection.statusOf(member, contextOf(input));
}

function contextOf({ now, realtime, discipline }: SnapshotInput): SelectionContext {
  return { now: { monotonic: now, realtime }, discipline };
}
