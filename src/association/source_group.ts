/**
 * One configured source: the name it is known by and the servers that are asked in its stead.
 *
 * The problem: a name stands for changing addresses; some are dead, some tell a wrong time, some
 * refuse us. The idea: a group keeps as many live members as were asked for, one for a server
 * and `count` for a pool, and takes another address when a member is dead or bad, if there is one;
 * a bad server is better than none. With Network Time Security a member begins with a key exchange
 * instead of an address. Limits: which member is bad is said by selection; no I/O.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { ReasonCounter } from "../base/reason_counter.ts";
import { formatSocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds } from "../base/units.ts";
import { AddressSupply } from "./address_supply.ts";
import { AeadOffers } from "./aead_offers.ts";
import type { Association, Reception } from "./association.ts";
import type { SourceGroupConfig } from "./config.ts";
import type {
  DatagramEvent,
  KeysExchangedEvent,
  ResolvedEvent,
  SendFailedEvent,
  SourceAction,
} from "./events.ts";
import { hasMoved, isDead, type NewMember } from "./member.ts";
import { MemberList } from "./member_list.ts";
import { MemberPlaces } from "./member_places.ts";
import type { MemberSupply } from "./member_supply.ts";
import { NtsStarter } from "./nts_starter.ts";
import type { SourceGroupOptions } from "./source_group_options.ts";
import { SourceLog } from "./source_log.ts";

/**
 * After so many requests without response an exchange of keys begins with another address of the
 * host.
 */
const SILENT_REQUESTS = 4;

/** A configured source with its members. */
export class SourceGroup {
  #config: SourceGroupConfig;
  readonly #allocateAssociation: () => number;
  readonly #nts: NtsStarter | undefined;
  readonly #supply: MemberSupply;
  readonly #members: MemberList;
  readonly #offers: AeadOffers;
  readonly #places: MemberPlaces;
  readonly #log: SourceLog;
  readonly #exchangeFailures = new ReasonCounter<string>();
  /** When the last lookup or exchange began, if it failed. */
  #failedSince: MonotonicSeconds | undefined = undefined;
  #isStarted = false;

  /** Makes a group that does nothing until it is started. */
  constructor(options: SourceGroupOptions) {
    const { config, allocateAssociation, holderOf } = options;
    this.#config = config;
    this.#allocateAssociation = allocateAssociation;
    const isNts = config.mode === "nts" || config.mode === "nts-pool";
    this.#nts = isNts ? new NtsStarter(options) : undefined;
    this.#supply = this.#nts ?? new AddressSupply(options);
    this.#members = new MemberList(options);
    this.#offers = new AeadOffers(config.aeadAlgorithms);
    this.#places = new MemberPlaces({
      source: config.address,
      members: this.#members,
      supply: this.#supply,
      offers: this.#offers,
      holderOf,
    });
    this.#log = new SourceLog(config.address);
  }

  /** What was configured. */
  get config(): SourceGroupConfig {
    return this.#config;
  }

  /**
   * Takes over a changed configuration of the same source: poll limits, how many members, bursts.
   * Members stay with what is known of them, but for those that are too many.
   */
  reconfigure(config: SourceGroupConfig, now: MonotonicSeconds): readonly SourceAction[] {
    assert(config.address === this.#config.address, "A source keeps its name");
    this.#config = config;
    this.#members.reconfigure(config);
    const surplus = this.members.slice(this.wanted);
    const actions = surplus.flatMap((association) => this.#places.remove(association));
    for (const association of this.members) association.reconfigure(config);
    this.#supply.refresh?.(now);
    return [...actions, ...this.#maintain(now)];
  }

  /** The servers that are asked now. */
  get members(): readonly Association[] {
    return this.#members.associations;
  }

  /** Why there is no member, or fewer than wanted; undefined when nothing is known to be wrong. */
  get error(): string | undefined {
    return this.#supply.error;
  }

  /**
   * What is wrong with a source that has no member: a predicate for a sentence; undefined while it
   * may still get one.
   */
  get report(): string | undefined {
    const { error } = this;
    if (error === undefined) return undefined;
    return `${this.#nts === undefined ? "cannot be queried" : "has no keys"}: ${error}`;
  }

  /** Key exchanges that brought nothing, by reason. */
  get exchangeFailures(): Readonly<Record<string, number>> {
    return this.#exchangeFailures.snapshot();
  }

  /**
   * Since when a name is being looked up or keys are being exchanged for a place without member;
   * undefined when not, or when that has failed already since a time, so that there is little hope.
   */
  preparingSince(time: MonotonicSeconds): MonotonicSeconds | undefined {
    const since = this.#members.length < this.wanted ? this.#supply.preparingSince : undefined;
    const failed = this.#failedSince;
    const hasFailed = failed !== undefined && failed !== since && failed >= time;
    return hasFailed ? undefined : since;
  }

  /** How many members are wanted. */
  get wanted(): number {
    return this.#members.wanted;
  }

  /** Finds the member with this number. */
  member(id: number): Association | undefined {
    return this.#members.withId(id)?.association;
  }

  /**
   * Begins: asks a numeric address at once, looks a name up, or exchanges keys. To be called once.
   */
  start(now: MonotonicSeconds): readonly SourceAction[] {
    assert(!this.#isStarted, "A source is started once");
    this.#isStarted = true;
    return this.#maintain(now);
  }

  /** Takes a member whose keys were saved by an earlier run; to be called before `start`. */
  adopt(saved: Omit<NewMember, "id">, now: MonotonicSeconds): void {
    assert(!this.#isStarted && this.#nts !== undefined, "Saved keys come before the start");
    if (this.#members.length < this.wanted && this.#places.holderOf(saved.address) === undefined) {
      this.#places.add({ ...saved, id: this.#allocateAssociation() }, now);
    }
  }

  /** When `handleTimer` wants to be called; Infinity for never. */
  nextWakeup(): MonotonicSeconds {
    let due = this.#nextMaintenance();
    for (const association of this.members) due = Math.min(due, association.nextWakeup());
    return due;
  }

  /** Lets every member ask when it is time, and replaces the dead and the bad. */
  handleTimer(now: MonotonicSeconds): readonly SourceAction[] {
    const actions = [...this.#places.removeOutranked()];
    for (const association of this.members) {
      if (now >= association.nextWakeup()) actions.push(...association.handleTimer(now));
    }
    return [...actions.map((action) => this.#withOffer(action)), ...this.#maintain(now)];
  }

  /** Hands a packet to its member; one for a member that is gone is dropped. */
  handleDatagram(event: DatagramEvent, now: MonotonicSeconds): Reception {
    const member = this.member(event.association);
    if (member === undefined) return { actions: [], measurement: undefined };
    const reception = member.handleDatagram(event, now);
    if (!member.isStopped) return reception;
    return { ...reception, actions: [...reception.actions, ...this.#maintain(now)] };
  }

  /** Hands bad news to the member that it is of. */
  handleSendFailed(event: SendFailedEvent, now: MonotonicSeconds): readonly SourceAction[] {
    return this.member(event.association)?.handleSendFailed(event, now) ?? [];
  }

  /** Takes the outcome of a lookup; undefined when it is not of this group. */
  handleResolved(event: ResolvedEvent, now: MonotonicSeconds): readonly SourceAction[] | undefined {
    const since = this.#supply.preparingSince;
    if (!this.#supply.handleResolved(event)) return undefined;
    this.#noteEnd(event.result.ok, since);
    if (event.result.ok) {
      for (const member of this.#members.all) {
        member.isUnlisted = this.#supply.isListed?.(member.association.address) === false;
      }
    }
    return this.#maintain(now);
  }

  /** Takes the outcome of a key exchange; undefined when it is not of this group. */
  handleKeysExchanged(
    event: KeysExchangedEvent,
    now: MonotonicSeconds,
  ): readonly SourceAction[] | undefined {
    const since = this.#supply.preparingSince;
    const begun = this.#nts?.handleKeysExchanged(event);
    if (begun !== undefined) this.#noteEnd(event.result.ok, since);
    const actions = begun ?? this.#renewKeys(event, now);
    if (actions === undefined) return undefined;
    if (!event.result.ok) {
      this.#exchangeFailures.add(event.reason ?? event.result.error);
      this.#offers.noteFailure(event.association, event.reason);
    }
    return [...actions, ...this.#maintain(now)];
  }

  /**
   * Gives a member up for a reason, which the log tells; another takes its place if there is one.
   */
  giveUp(
    id: number,
    { reason, now }: { readonly reason: string; readonly now: MonotonicSeconds },
  ): readonly SourceAction[] {
    const member = this.member(id);
    if (member === undefined) return [];
    const address = formatSocketAddress(member.address);
    return [
      this.#log.line("warning", `no longer uses ${address}: ${reason}`),
      ...this.#places.remove(member),
      ...this.#maintain(now),
    ];
  }

  /**
   * Notes that selection finds a member to be a falseticker at a time, or, undefined, not to be
   * one: a pool gives a lasting falseticker up.
   */
  noteFalseticker(id: number, at: MonotonicSeconds | undefined): void {
    this.#members.noteFalseticker(id, at);
  }

  /**
   * Asks every member for a burst, because the clock is not to be trusted, and looks for missing
   * members again.
   */
  requestBurst(now: MonotonicSeconds, begin: "at-once" | "spread" = "at-once"): void {
    this.#supply.retryNow?.(now);
    for (const association of this.members) association.requestBurst(now, begin);
  }

  /**
   * There may be a way to servers now that there was not before: asks, looks up and exchanges keys
   * within seconds.
   */
  askAgain(now: MonotonicSeconds): readonly SourceAction[] {
    this.#supply.networkChanged(now);
    for (const association of this.members) association.askAgain(now);
    return this.#maintain(now);
  }

  /** Voids what the local clock timestamped before it was stepped. */
  clockStepped(now: MonotonicSeconds): readonly SourceAction[] {
    return this.members.flatMap((association) => association.clockStepped(now));
  }

  /**
   * Gives the numbers of the members that are gone since the last call, so that what is known of
   * them can go too.
   */
  takeRemoved(): readonly number[] {
    return this.#members.takeRemoved();
  }

  /** Gives all members up; the group is not used any more. */
  stop(): readonly SourceAction[] {
    return this.members.flatMap((association) => this.#places.remove(association));
  }

  /** Notes whether what began at a time has brought anything. */
  #noteEnd(isGood: boolean, since: MonotonicSeconds | undefined): void {
    this.#failedSince = isGood ? undefined : since;
  }

  /**
   * Says which algorithms are offered; keys that brought no response are a reason to offer others.
   */
  #withOffer(action: SourceAction): SourceAction {
    if (action.type !== "exchange-keys") return action;
    const { association } = action;
    const member = this.member(association);
    if (member !== undefined && member.history.lastResponseAt === undefined) {
      this.#offers.noteSilence(association, member.protection?.status?.aead);
    }
    const isSilent = (member?.history.unansweredRequests ?? 0) >= SILENT_REQUESTS;
    return { ...action, aeadAlgorithms: this.#offers.begin(association), isSilent };
  }

  /**
   * Hands new keys to a member; a member that asks another server than they are for is made anew.
   */
  #renewKeys(
    event: KeysExchangedEvent,
    now: MonotonicSeconds,
  ): readonly SourceAction[] | undefined {
    const member = this.member(event.association);
    if (member === undefined) return undefined;
    member.protection?.endKeyExchange?.(event.result, { now, isLocal: event.isLocal });
    if (!event.result.ok) {
      member.waitForKeys();
      return [];
    }
    const outcome = event.result.value;
    if (this.#nts === undefined || !hasMoved(member, outcome)) {
      member.requestSoon(now);
      return [];
    }
    const where = outcome.ntpServer ?? outcome.peerAddress;
    return [
      this.#log.line(
        "info",
        `moves from ${formatSocketAddress(member.address)} to ${where}, as its key exchange says`,
      ),
      ...this.#places.remove(member),
      ...this.#nts.move(outcome, { tries: member.protection?.exchangeTries ?? 0, now }),
    ];
  }

  /** Fills places, and begins what brings members for those that stay open. */
  #maintain(now: MonotonicSeconds): readonly SourceAction[] {
    if (!this.#isStarted) return [];
    const actions = [...this.#places.fill(now)];
    for (const id of this.#nts?.takeEnded() ?? []) this.#offers.forget(id);
    const open = this.#members.openPlaces(now);
    if (open === 0) this.#resetBackoffs();
    actions.push(...this.#places.replaceUnlisted(now));
    const begun = this.#supply.begin({ open, isEmpty: this.#members.length === 0 }, now);
    return [...actions, ...begun.map((action) => this.#withOffer(action))];
  }

  /**
   * Waits grow until all members have answered (RFC 8915 section 4.2 asks so for key exchanges).
   */
  #resetBackoffs(): void {
    if (this.members.some(({ history }) => history.lastResponseAt === undefined)) return;
    this.#supply.resetBackoff();
  }

  /** When something is to be done that no member's timer and no event will bring. */
  #nextMaintenance(): MonotonicSeconds {
    if (!this.#isStarted) return Infinity;
    const isWaiting = this.#members.length < this.wanted || this.members.some(isDead);
    const dueAt = this.#supply.dueAt(isWaiting);
    return isWaiting ? dueAt : Math.min(dueAt, this.#places.nextReplacementAt());
  }
}
