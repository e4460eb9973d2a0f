/**
 * Which sources are believed: asks selection, remembers its outcome, and keeps the reference of our
 * own time.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import type { Config } from "../../config/config.ts";
import type { Candidate, Contradiction } from "../../selection/candidate.ts";
import { type Doubt, doubtsAfter } from "../../selection/doubt.ts";
import { describeCauses } from "../../selection/causes.ts";
import { rejection } from "../../selection/rejection.ts";
import { select, type Selection, type SelectionOptions } from "../../selection/select.ts";
import type { SourceStatus } from "../../selection/status.ts";
import {
  hasVouchers,
  isContested,
  objectionAmong,
} from "../authenticated_time/vouched_selection.ts";
import { identitiesOf } from "../authenticated_time/same_server.ts";
import { unixSecondsOf } from "../authenticated_time/told_time.ts";
import { candidateOf, memberName, type SelectionContext } from "./candidates.ts";
import type { Action } from "../events.ts";
import { EstimatesOfMoment } from "./estimates_of_moment.ts";
import { OwnPlaces } from "./own_places.ts";
import { announcedLeap, referenceOf, supportedBy } from "./reference.ts";
import { ReferenceReports } from "../reports/reference_reports.ts";
import { type SelectionRules, selectionRules } from "./selection_rules.ts";
import type { SourceFaults } from "./source_faults.ts";
import type { MemberOfSource } from "./source_set.ts";
import type { Reference } from "../status/system_variables.ts";

const STARTING: SourceStatus = { status: "starting", reason: "Not measured yet" };
const MEASURED: SourceStatus = {
  status: "starting",
  reason: "Measured; the first decision waits a few seconds for the other sources",
};

/** Sources are configured, and none of them has a server or keys now. */
const NO_CANDIDATE = "No source can be used at the moment";

/** The selection among all sources that is in force. */
export class SourceSelection {
  #rules: SelectionRules;
  #isVouchedFor = false;
  readonly #faults: SourceFaults;
  /** What the server of each source is known by, which stays while the source does. */
  readonly #identities = new Map<number, readonly string[]>();
  readonly #own: OwnPlaces;
  #selection: Selection | undefined;
  #hasLost = false;
  #trusted: readonly number[] = [];
  #falsetickers: readonly number[] = [];
  /** What was found against sources, until they are found good. */
  #doubts: ReadonlyMap<number, Doubt> = new Map();
  #impossible: ReadonlyMap<number, Contradiction> = new Map();
  #reference: Reference | undefined;
  #leap: LeapIndicator = "unknown";
  #reason = "No source has been measured yet";
  readonly #reports = new ReferenceReports();

  /** `ownAddresses` are numeric, without ports. */
  constructor(
    { config, ownAddresses, faults }: {
      readonly config: Config;
      readonly ownAddresses: readonly string[];
      readonly faults: SourceFaults;
    },
  ) {
    this.#faults = faults;
    this.#rules = selectionRules(config);
    this.#own = new OwnPlaces(config, ownAddresses);
  }

  /** Whether any decision has been made since the last start. */
  get hasDecided(): boolean {
    return this.#selection !== undefined;
  }

  /** Whether enough sources agree at this moment. */
  get selected(): boolean {
    return (this.#selection?.survivors.length ?? 0) > 0;
  }

  /**
   * Whether a majority of authenticated sources stands behind the time that is believed at this
   * moment.
   */
  get isVouchedFor(): boolean {
    return this.selected && this.#isVouchedFor;
  }

  /** Whether enough authenticated sources are configured to vouch for a time, if they come. */
  get hasVouchers(): boolean {
    return this.#rules.vouchersNeeded > 0;
  }

  /** The sources whose samples are believed. */
  get believed(): readonly number[] {
    return this.#selection?.survivors ?? [];
  }

  /** Where most sources allow the true offset to be; undefined when none is believed. */
  get possible(): Selection["possible"] {
    return this.#selection?.possible;
  }

  /** Those of them that outvote the others. */
  get trusted(): readonly number[] {
    return this.#trusted.filter((id) => this.believed.includes(id));
  }

  /**
   * Whether a source that was believed is gone since the last decision, so that those that are
   * left may not be good enough.
   */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** The sources that are known to be wrong. */
  get falsetickers(): readonly number[] {
    return this.#falsetickers;
  }

  /** The sources that others contradict: falsetickers, and outliers among those that agree. */
  get disputed(): readonly number[] {
    const disputed: number[] = [];
    for (const [id, { status }] of this.#selection?.statuses ?? []) {
      if (status === "falseticker" || status === "outlier") disputed.push(id);
    }
    return disputed;
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
   * Why there is no selection, in a sentence; before the first one it tells how far the sources
   * have come. `absent` are the sources without any server, and why they have none.
   */
  reasonOf(
    members: readonly MemberOfSource[],
    context: SelectionContext & {
      readonly absent: readonly { readonly name: string; readonly error: string | undefined }[];
    },
  ): string {
    const { absent } = context;
    if (!this.#rules.hasSources) return "No [[source]] is configured";
    if (this.#selection !== undefined || members.length + absent.length === 0) return this.#reason;
    const statuses = [
      ...members.map((member) => ({ name: memberName(member), ...this.statusOf(member, context) })),
      ...absent.map(({ name, error }) => ({ name, ...statusOfAbsent(error) })),
    ];
    if (statuses.some(({ reason }) => reason === MEASURED.reason)) return MEASURED.reason;
    const isHopeless = statuses.every(({ status }) => status !== "starting");
    return isHopeless ? `No source is usable: ${describeCauses(statuses)}` : this.#reason;
  }

  /** Whether the log says already why there is no selection, or has said it too often. */
  get isReasonTold(): boolean {
    return this.#selection !== undefined && !this.selected && this.#reports.isLossKnown;
  }

  /**
   * Returns what became of a source; of one that has not been selected among yet, what keeps it out
   * already.
   */
  statusOf(member: MemberOfSource, context: SelectionContext): SourceStatus {
    const known = this.#selection?.statuses.get(member.association.id);
    if (known !== undefined) return known;
    const candidate = this.#candidate(member, context);
    const isMeasured = candidate.samples > 0;
    const rejected = rejection(isMeasured ? candidate : { ...candidate, jitter: 0 }, {
      samplesMin: 0,
      distanceMax: Infinity,
      stratumLimit: this.#rules.synchronization.localStratum,
      mustBeAuthenticated: this.#rules.synchronization.authentication === "require",
    });
    if (rejected !== undefined && rejected.status !== "starting") return rejected;
    return isMeasured ? MEASURED : STARTING;
  }

  /**
   * Tells whether a source is still counted as one that has the time although it says no longer so.
   */
  isOvertaken({ association }: MemberOfSource): boolean {
    const status = this.#selection?.statuses.get(association.id)?.status;
    return association.history.serverState?.isSynchronized === false && status !== undefined &&
      status !== "unsynchronized" && status !== "loop" && status !== "kissed";
  }

  /** Selects anew among all members. */
  select(members: readonly MemberOfSource[], given: SelectionContext): readonly Action[] {
    const context = contextOfMoment(given);
    const candidates = members.map((member) => this.#candidate(member, context));
    const selection = this.#select(candidates, { members, context });
    this.#adopt(selection, { members, candidates, heldBack: context.heldBack ?? 0 });
    const peer = members.find(({ association }) => association.id === selection.systemPeer);
    const told = this.#reports.look({
      now: context.now.monotonic,
      leader: peer && { id: peer.association.id, name: memberName(peer) },
      reason: this.#reason,
      isComplete: candidates.every(({ samples }) => samples > 0),
      isSilence: candidates.length > 0 && candidates.every(({ unanswered }) => unanswered > 0),
    });
    if (peer === undefined) {
      if (this.#isContested(members)) this.#reference = undefined;
      return told;
    }
    this.#leap = announcedLeap(members, selection);
    const supported = supportedBy(members, selection, context);
    const previous = this.#reference;
    this.#reference = referenceOf(peer, { ...context, supported, previous }) ?? previous;
    return told;
  }

  /**
   * Selects among all members by other estimates, where `minimum` may be less than must agree by
   * the configuration; what is in force stays as it is.
   */
  survey(
    members: readonly MemberOfSource[],
    { minimum, ...given }: SelectionContext & { readonly minimum?: number },
  ): Selection {
    const context = contextOfMoment(given);
    const candidates = members.map((member) => this.#candidate(member, context));
    return this.#select(candidates, {
      members,
      context,
      ...(minimum === undefined ? {} : { limits: { minimumAgreeing: minimum } }),
    });
  }

  /** Takes over changed rules. */
  reconfigure(config: Config): void {
    this.#rules = selectionRules(config);
    this.#own.reconfigure(config);
  }

  /**
   * Takes over the addresses that this machine has now, and which of our listeners are not open;
   * what is left out is as before.
   */
  setOwnPlaces(places: Parameters<OwnPlaces["update"]>[0]): void {
    this.#own.update(places);
  }

  /** Forgets a source. */
  forget(id: number): void {
    this.#identities.delete(id);
    if (this.#selection === undefined) return;
    const statuses = new Map(this.#selection.statuses);
    statuses.delete(id);
    const survivors = this.#selection.survivors.filter((survivor) => survivor !== id);
    this.#hasLost ||= survivors.length < this.#selection.survivors.length;
    this.#selection = { ...this.#selection, statuses, survivors };
  }

  /** Notes that the announced leap second has happened. */
  leapIsOver(): void {
    if (this.#leap === "insert" || this.#leap === "delete") this.#leap = "none";
  }

  /** Forgets all statuses, because the clock was changed by others. */
  restart(reason: string): void {
    this.#selection = undefined;
    this.#falsetickers = [];
    this.#doubts = new Map();
    this.#impossible = new Map();
    this.#reference = undefined;
    this.#reason = reason;
  }

  #candidate(member: MemberOfSource, context: SelectionContext): Candidate {
    const identities = this.#identitiesOf(member);
    const own = this.#own.identity;
    const doubt = this.#doubts.get(member.association.id);
    return candidateOf(member, { context, own, identities, doubt, faults: this.#faults });
  }

  #identitiesOf({ association: { id, address }, config }: MemberOfSource): readonly string[] {
    const known = this.#identities.get(id);
    if (known !== undefined) return known;
    const identities = identitiesOf({ config, address });
    this.#identities.set(id, identities);
    return identities;
  }

  #select(
    candidates: readonly Candidate[],
    { members, context, limits }: {
      readonly members: readonly MemberOfSource[];
      readonly context: SelectionContext;
      readonly limits?: Pick<SelectionOptions, "minimumAgreeing">;
    },
  ): Selection {
    const { discipline, now } = context;
    const { synchronization } = this.#rules;
    const { localStratum, authentication } = synchronization;
    return select(candidates, {
      minimumAgreeing: synchronization.minimumAgreeingSources,
      minimumTrusted: synchronization.minimumTrustedSources,
      distanceMax: synchronization.maxDistance,
      previous: this.#selection?.systemPeer,
      estimate: discipline.systemAt(now.monotonic)?.offset,
      stratumLimit: localStratum,
      authentication,
      required: this.#rules.required,
      isRequireWritten: this.#rules.isRequireWritten,
      ...(authentication === "ignore" ? {} : {
        objection: objectionAmong(members),
      }),
      ...limits,
    });
  }

  /** Takes over a selection, with what follows from it for single sources. */
  #adopt(
    selection: Selection,
    { members, candidates, heldBack }: {
      readonly members: readonly MemberOfSource[];
      readonly candidates: readonly Candidate[];
      readonly heldBack: number;
    },
  ): void {
    const hasPeer = selection.systemPeer !== undefined;
    assert(hasPeer === selection.survivors.length > 0, "Survivors have a system peer among them");
    this.#selection = selection;
    this.#hasLost = false;
    const trusted: number[] = [], falsetickers: number[] = [];
    const impossible = new Map<number, Contradiction>();
    for (const { id, trust, contradiction } of candidates) {
      if (trust) trusted.push(id);
      if (selection.statuses.get(id)?.status === "falseticker") falsetickers.push(id);
      if (contradiction !== undefined) impossible.set(id, contradiction);
    }
    this.#trusted = trusted;
    this.#falsetickers = falsetickers;
    this.#impossible = impossible;
    this.#doubts = doubtsAfter(selection, this.#doubts);
    const hasNone = candidates.length === 0 && heldBack === 0 && this.#rules.hasSources;
    this.#reason = hasNone ? NO_CANDIDATE : reasonWithHeld(selection, heldBack);
    this.#isVouchedFor = hasVouchers(members, { selection, needed: this.#rules.vouchersNeeded });
  }

  #isContested(members: readonly MemberOfSource[]): boolean {
    return isContested(members, {
      impossible: this.#impossible,
      falsetickers: this.#falsetickers,
      needed: this.#rules.vouchersNeeded,
    });
  }
}

/** Makes each estimate of the moment only once. */
function contextOfMoment(given: SelectionContext): SelectionContext {
  const discipline = new EstimatesOfMoment(given.discipline);
  return { ...given, clock: unixSecondsOf(given.now.realtime), discipline };
}

/** Says why no source is believed, those that are held back included; nothing when one is. */
function reasonWithHeld({ reason, statuses }: Selection, heldBack: number): string {
  if (reason === undefined || heldBack === 0) return reason ?? "";
  const held = `${heldBack === 1 ? "1 source is" : `${heldBack} sources are`} provisional: ` +
    "certificates are not valid at the time of this clock";
  return statuses.size === 0 ? held : `${reason}; ${held}`;
}

/** What became of a source that has no server. */
function statusOfAbsent(error: string | undefined): SourceStatus {
  return error === undefined ? STARTING : { status: "unreachable", reason: error };
}
