/**
 * What we think of the sources: asks selection, remembers its answer, and chooses the reference of our own time.
 *
 * @module
 */
import type { Association } from "../association/association.ts";
import type { LeapIndicator } from "../association/measurement.ts";
import type { Instant } from "../base/instant.ts";
import { formatAddress, formatSocketAddress } from "../base/socket_address.ts";
import { type Config, isAuthenticated, type SynchronizationConfig } from "../config/config.ts";
import { servedPlaces } from "../config/listen.ts";
import type { Discipline } from "../discipline/discipline.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import { formatReferenceId, referenceIdOfAddress } from "../protocol/reference_id.ts";
import { leapByMajority } from "./leap/leap_vote.ts";
import { followsUs, isOurselves, type OwnIdentity, ownIdentity } from "../selection/loop.ts";
import type { Candidate, Contradiction } from "../selection/candidate.ts";
import { unfitness } from "../selection/fitness.ts";
import { select, type Selection } from "../selection/select.ts";
import { describeCauses } from "../selection/causes.ts";
import type { Verdict } from "../selection/status.ts";
import type { ToldTime } from "./authenticated_time/certificate_spans.ts";
import type { Action } from "./events.ts";
import { unixSecondsOf } from "./authenticated_time/provisional_time.ts";
import { ReferenceReports } from "./reports/reference_reports.ts";
import { identitiesOf } from "./authenticated_time/same_server.ts";
import { silenceOf } from "./reports/silence.ts";
import type { SourceFaults } from "./source_faults.ts";
import type { MemberOfSource } from "./source_set.ts";
import type { Reference } from "./status/system_variables.ts";
import { rootDistance, supportedDistance } from "../selection/root_distance.ts";
import { hostsThatProve, votesOf } from "./authenticated_time/vouchers.ts";

const STARTING: Verdict = { status: "starting", reason: "Not measured yet" };
const MEASURED: Verdict = {
  status: "starting",
  reason: "Measured; the first decision waits a few seconds for the other sources",
};

/** What a judgement depends on besides the sources. */
export interface JudgementContext {
  /** The moment. */
  readonly now: Instant;
  /** What is known of every source. */
  readonly discipline: Discipline;
  /** What is known of the time whatever the sources say; nothing if left out. */
  readonly known?: KnownTime;
  /** How many servers are measured and have no say yet, because their certificates are provisional; none if left out. */
  readonly heldBack?: number;
}

/** Knows which times cannot be. */
export interface KnownTime {
  /** Says why the time that a source tells cannot be; undefined when it can. */
  contradictionOf(
    source: Association,
    told: ToldTime,
    now: MonotonicSeconds,
  ): Contradiction | undefined;
}

/** Sources are configured, and none of them has a server or keys now. */
const NOBODY = "No source can be used at the moment";

/** The verdicts on all sources. */
export class SourceSelection {
  #synchronization: SynchronizationConfig;
  #vouchersNeeded: number;
  #required: readonly string[];
  #hasSources: boolean;
  #isVouchedFor = false;
  readonly #faults: SourceFaults | undefined;
  #own: OwnIdentity;
  #ownAddresses: readonly string[];
  #listens: readonly string[];
  #closed: readonly string[] = [];
  #selection: Selection | undefined;
  #hasLost = false;
  #falsetickers: readonly number[] = [];
  #impossible: ReadonlyMap<number, Contradiction> = new Map();
  #reference: Reference | undefined;
  #leap: LeapIndicator = "unknown";
  #whyNot = "No source has been measured yet";
  readonly #reports = new ReferenceReports();

  /** `ownAddresses` are numeric, without ports. */
  constructor(config: Config, ownAddresses: readonly string[], faults?: SourceFaults) {
    this.#faults = faults;
    this.#synchronization = config.synchronization;
    this.#vouchersNeeded = vouchersNeeded(config);
    this.#required = requiredSources(config);
    this.#hasSources = config.sources.length > 0;
    this.#ownAddresses = ownAddresses;
    this.#listens = config.servers.map(({ listen }) => listen);
    this.#own = this.#identity();
  }

  /** Whether any decision has been made since the last start. */
  get hasJudged(): boolean {
    return this.#selection !== undefined;
  }

  /** Whether enough sources agree at this moment. */
  get selected(): boolean {
    return (this.#selection?.survivors.length ?? 0) > 0;
  }

  /** Whether a majority of authenticated sources stands behind the time that is believed at this moment. */
  get isVouchedFor(): boolean {
    return this.selected && this.#isVouchedFor;
  }

  /** Whether enough authenticated sources are configured to vouch for a time, if they come. */
  get hasVouchers(): boolean {
    return this.#vouchersNeeded > 0;
  }

  /** The sources whose samples are believed. */
  get believed(): readonly number[] {
    return this.#selection?.survivors ?? [];
  }

  /** Whether a source that was believed is gone since the last decision, so that those who are left may be none to follow. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** The sources that are known to be wrong. */
  get falsetickers(): readonly number[] {
    return this.#falsetickers;
  }

  /** The sources that tell a time that cannot be, and why. */
  get impossible(): ReadonlyMap<number, Contradiction> {
    return this.#impossible;
  }

  /** What our time is traced to; it is kept in holdover. */
  get reference(): Reference | undefined {
    return this.#reference;
  }

  /** The leap second that the majority announces. */
  get leap(): LeapIndicator {
    return this.#leap;
  }

  /**
   * Why there is no selection, in a sentence; before the first one it tells how far the sources have come. `absent` are the sources
   * without any server, and why they have none.
   */
  whyNotOf(
    members: readonly MemberOfSource[],
    context: JudgementContext,
    absent: readonly { readonly name: string; readonly trouble: string | undefined }[] = [],
  ): string {
    if (!this.#hasSources) return "There is no [[source]]";
    if (this.#selection !== undefined || members.length + absent.length === 0) return this.#whyNot;
    const verdicts = [
      ...members.map((member) => ({ name: memberName(member), ...this.verdict(member, context) })),
      ...absent.map(({ name, trouble }) => ({ name, ...verdictOfAbsent(trouble) })),
    ];
    if (verdicts.some(({ reason }) => reason === MEASURED.reason)) return MEASURED.reason;
    const isHopeless = verdicts.every(({ status }) => status !== "starting");
    return isHopeless ? `No source is usable: ${describeCauses(verdicts)}` : this.#whyNot;
  }

  /** Whether the log says already why there is no selection, or has said it too often. */
  get isRefusalTold(): boolean {
    return this.#selection !== undefined && !this.selected && this.#reports.isLossKnown;
  }

  /** Returns what became of a source; of one that is not judged yet, what keeps it out already. */
  verdict(
    member: MemberOfSource,
    context: JudgementContext,
  ): Verdict {
    const judged = this.#selection?.verdicts.get(member.association.id);
    if (judged !== undefined) return judged;
    const candidate = this.#candidate(member, context);
    const isMeasured = candidate.samples > 0;
    const fault = unfitness(isMeasured ? candidate : { ...candidate, jitter: 0 }, {
      samplesMin: 0,
      distanceMax: Infinity,
      stratumLimit: this.#synchronization.localStratum,
      mustBeAuthenticated: this.#synchronization.authentication === "require",
    });
    if (fault !== undefined && fault.status !== "starting") return fault;
    return isMeasured ? MEASURED : STARTING;
  }

  /** Tells whether a source is still counted as one that has the time although it says no longer so. */
  isOvertaken({ association }: MemberOfSource): boolean {
    const status = this.#selection?.verdicts.get(association.id)?.status;
    return association.serverState?.isSynchronized === false && status !== undefined &&
      status !== "unsynchronized" && status !== "loop" && status !== "kissed";
  }

  /** Judges all members anew. */
  judge(members: readonly MemberOfSource[], context: JudgementContext): readonly Action[] {
    const candidates = members.map((member) => this.#candidate(member, context));
    const selection = select(candidates, {
      minimumAgreeing: this.#synchronization.minimumAgreeingSources,
      previous: this.#selection?.systemPeer,
      stratumLimit: this.#synchronization.localStratum,
      authentication: this.#synchronization.authentication,
      required: this.#required,
      ...(this.#synchronization.authentication === "ignore" ? {} : {
        objection: (agreeing, others) => objectionOf(members, agreeing, others),
      }),
    });
    this.#selection = selection;
    this.#hasLost = false;
    this.#falsetickers = candidates.map(({ id }) => id)
      .filter((id) => selection.verdicts.get(id)?.status === "falseticker");
    this.#impossible = new Map(
      candidates.flatMap(({ id, contradiction }) => contradiction ? [[id, contradiction]] : []),
    );
    const held = context.heldBack ?? 0;
    const isNobody = candidates.length === 0 && held === 0 && this.#hasSources;
    this.#whyNot = isNobody ? NOBODY : refusalWithHeld(selection, held);
    this.#isVouchedFor = this.#countVouchers(members, selection);
    const peer = members.find(({ association }) => association.id === selection.systemPeer);
    const told = this.#reports.look({
      now: context.now.monotonic,
      leader: peer && { id: peer.association.id, name: memberName(peer) },
      whyNot: this.#whyNot,
      isComplete: candidates.every(({ samples }) => samples > 0),
      isSilence: candidates.length > 0 && candidates.every(({ unanswered }) => unanswered > 0),
    });
    if (peer === undefined) {
      if (this.#isContested(members)) this.#reference = undefined;
      return told;
    }
    this.#leap = leapByMajority(
      leapVoters(members, selection)
        .flatMap(({ association }) => association.serverState?.leapIndicator ?? []),
    );
    this.#refer(peer, { ...context, supported: supportedBy(members, selection, context) });
    return told;
  }

  /** Takes over changed rules. */
  reconfigure(config: Config): void {
    this.#synchronization = config.synchronization;
    this.#vouchersNeeded = vouchersNeeded(config);
    this.#required = requiredSources(config);
    this.#hasSources = config.sources.length > 0;
    this.#listens = config.servers.map(({ listen }) => listen);
    this.#own = this.#identity();
  }

  /** Takes over the addresses that this machine has now, and which of our listeners are not open; what is left out is as before. */
  setOwnPlaces(
    { addresses = this.#ownAddresses, closed = this.#closed }: {
      readonly addresses?: readonly string[];
      readonly closed?: readonly string[];
    },
  ): void {
    this.#ownAddresses = addresses;
    this.#closed = closed;
    this.#own = this.#identity();
  }

  /** Where a listener is closed another program may serve. */
  #identity(): OwnIdentity {
    const open = this.#listens.filter((listen) => !this.#closed.includes(listen));
    return ownIdentity(this.#ownAddresses, servedPlaces(open, this.#listens));
  }

  /** Forgets a source. */
  forget(id: number): void {
    if (this.#selection === undefined) return;
    const verdicts = new Map(this.#selection.verdicts);
    verdicts.delete(id);
    const survivors = this.#selection.survivors.filter((survivor) => survivor !== id);
    this.#hasLost ||= survivors.length < this.#selection.survivors.length;
    this.#selection = { ...this.#selection, verdicts, survivors };
  }

  /** Notes that the announced leap second has happened. */
  leapIsOver(): void {
    if (this.#leap === "insert" || this.#leap === "delete") this.#leap = "none";
  }

  /** Forgets all verdicts, because the clock was changed by others. */
  restart(why: string): void {
    this.#selection = undefined;
    this.#falsetickers = [];
    this.#impossible = new Map();
    this.#reference = undefined;
    this.#whyNot = why;
  }

  #candidate(
    member: MemberOfSource,
    context: JudgementContext,
  ): Candidate {
    const { association, config } = member;
    const estimate = context.discipline.sourceAt(association.id, context.now.monotonic);
    const server = association.serverState;
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
      isReachable: association.isReachable,
      unanswered: association.unansweredRequests,
      silence: silenceOf(association),
      isSynchronized: server?.isSynchronized ?? false,
      isKissed: association.isKissed,
      isLoop: isOurselves(association.address, this.#own) ||
        server?.isSynchronized === true && followsUs(server, this.#own),
      noSelect: config.noSelect,
      prefer: config.prefer,
      trust: config.trust,
      require: config.require,
      isAuthenticated: isAuthenticated(config),
      identities: identitiesOf({ config, address: association.address }),
      faults: this.#faults?.isLeftOut(association.id, context.now.monotonic)
        ? this.#faults.count(association.id)
        : 0,
      contradiction: contradictionOf(association, estimate, { ...context, error: distance }),
    };
  }

  #countVouchers(members: readonly MemberOfSource[], { agreed, verdicts }: Selection): boolean {
    const votes = (isOne: (id: number) => boolean) =>
      votesOf(withVote(members).filter(({ association }) => isOne(association.id)));
    const vouching = votes((id) => agreed.includes(id));
    const against = votes((id) => verdicts.get(id)?.status === "falseticker");
    return vouching > 0 && vouching >= this.#vouchersNeeded && vouching > against;
  }

  /**
   * As many authenticated parties as vouch for a time say that what has certainly passed has not: nobody can tell who is right, so the
   * time is not known.
   */
  #isContested(members: readonly MemberOfSource[]): boolean {
    // those that do not answer any more say nothing
    const against = votesOf(
      withVote(members).filter(({ association: { id } }) =>
        this.#impossible.get(id)?.kind === "past" && this.#falsetickers.includes(id)
      ),
    );
    return against > 0 && against >= this.#vouchersNeeded;
  }

  #refer(
    peer: MemberOfSource,
    context: JudgementContext & { readonly supported: Seconds },
  ): void {
    const { association } = peer;
    const server = association.serverState;
    const estimate = context.discipline.sourceAt(association.id, context.now.monotonic);
    if (server === undefined || estimate === undefined) return;
    const referenceId = referenceIdOfAddress(association.address.address) ?? 0;
    const { family } = association.address;
    const stratum = server.stratum + 1;
    this.#reference = {
      association: association.id,
      name: `${association.name} (${formatSocketAddress(association.address)})`,
      referenceId,
      referenceIdText: formatReferenceId(referenceId, { stratum, family }),
      stratum,
      server,
      delay: estimate.delay,
      supported: context.supported,
      leap: server.leapIndicator,
      updatedAt: association.lastResponseAt ?? context.now.monotonic,
      referenceTime: context.now.realtime,
    };
  }
}

/** Says why the time that a source tells cannot be. */
function contradictionOf(
  association: Association,
  estimate: { readonly offset: Seconds } | undefined,
  { known, now, error }: JudgementContext & { readonly error: Seconds },
): Contradiction | undefined {
  if (known === undefined || !Number.isFinite(estimate?.offset) || !(error >= 0)) return undefined;
  const time = unixSecondsOf(now.realtime) + (estimate?.offset ?? 0);
  return known.contradictionOf(association, { time, error }, now.monotonic);
}

/** Sources that are required count before they have keys or an address, too. */
function requiredSources({ sources }: Config): readonly string[] {
  return sources.filter(({ require, noSelect }) => require && !noSelect)
    .map(({ address }) => address);
}

/** So many authenticated sources vouch for a time: as many as must agree on it, or all when there are fewer. */
function vouchersNeeded({ sources, synchronization }: Config): number {
  return Math.min(synchronization.minimumAgreeingSources, hostsThatProve(sources));
}

/** Says why no source is believed with those that may not be judged yet; nothing when one is. */
function refusalWithHeld({ refusal, verdicts }: Selection, heldBack: number): string {
  if (refusal === undefined || heldBack === 0) return refusal ?? "";
  const held = `${heldBack === 1 ? "1 source is" : `${heldBack} sources are`} provisional: ` +
    "the dates of certificates do not fit this clock";
  return verdicts.size === 0 ? held : `${refusal}; ${held}`;
}

/** Many servers are no majority where they are of fewer parties than those that prove themselves and agree on another time. */
function objectionOf(
  members: readonly MemberOfSource[],
  agreeing: readonly number[],
  others: readonly number[],
): string | undefined {
  const votes = (ids: readonly number[]) =>
    votesOf(withVote(members).filter(({ association }) => ids.includes(association.id)));
  const [inFavour, against] = [votes(agreeing), votes(others)];
  if (inFavour === 0 || against <= inFavour) return undefined;
  return `${agreeing.length} sources agree, of which no more than ${inFavour} ` +
    `${
      inFavour === 1 ? "is" : "are"
    } independent by host and public key, and ${against} such agree on another time`;
}

/** Those that may vouch for a time. */
function withVote(members: readonly MemberOfSource[]): readonly MemberOfSource[] {
  return members.filter(({ config }) => isAuthenticated(config) && !config.noSelect);
}

/** Where trusted sources agree they alone say whether a leap second comes, though others be preferred; else those that are followed. */
function leapVoters(
  members: readonly MemberOfSource[],
  { agreed, survivors }: Selection,
): readonly MemberOfSource[] {
  const trusted = members.filter(({ association, config }) =>
    config.trust && agreed.includes(association.id)
  );
  return trusted.length > 0
    ? trusted
    : members.filter(({ association }) => survivors.includes(association.id));
}

/** The distance that a majority of those who agree stands behind; where sources are trusted these alone count. */
function supportedBy(
  members: readonly MemberOfSource[],
  { agreed }: Selection,
  { discipline, now }: JudgementContext,
): Seconds {
  const all = members.filter(({ association }) => agreed.includes(association.id));
  const trusted = all.filter(({ config }) => config.trust);
  const agreeing = trusted.length > 0 ? trusted : all;
  return supportedDistance(agreeing.flatMap(({ association: { id, serverState } }) => {
    const delay = discipline.sourceAt(id, now.monotonic)?.delay;
    if (serverState === undefined || delay === undefined) return [];
    return [rootDistance(serverState, { delay, uncertainty: 0 }).distance];
  }));
}

/** How sentences call a member: a pool's by its address too. */
export function memberName({ association, group }: MemberOfSource): string {
  const address = formatAddress(association.address);
  return group.wanted > 1 ? `${association.name} (${address})` : association.name;
}

/** What became of a source that has no server. */
function verdictOfAbsent(trouble: string | undefined): Verdict {
  return trouble === undefined ? STARTING : { status: "unreachable", reason: trouble };
}
