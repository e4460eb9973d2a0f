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
import { formatSocketAddress, type SocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import { AeadOffers } from "./aead_offers.ts";
import { AddressSupply } from "./address_supply.ts";
import type { Association, Reception } from "./association.ts";
import type { SourceGroupConfig } from "./config.ts";
import type {
  DatagramEvent,
  KeysExchangedEvent,
  LogAction,
  ResolvedEvent,
  SendFailedEvent,
  SourceAction,
} from "./events.ts";
import { hasMoved, holdsAddress, isDead, type Member, type NewMember } from "./member.ts";
import { MemberList } from "./member_list.ts";
import { NtsStarter } from "./nts_starter.ts";
import type { PacketProtection } from "./protection.ts";
import type { SourceGroupOptions } from "./source_group_options.ts";

/**
 * Members that the name does not have any more are replaced one by one, so far apart, since each
 * has to be measured first.
 */
const REPLACEMENT_INTERVAL: Seconds = 3600;

/**
 * After so many requests without response an exchange of keys begins with another address of the
 * host.
 */
const SILENT_REQUESTS = 4;

/** A configured source with its members. */
export class SourceGroup {
  #config: SourceGroupConfig;
  readonly #options: SourceGroupOptions;
  readonly #supply: AddressSupply;
  readonly #nts: NtsStarter | undefined;
  readonly #members: MemberList;
  #isStarted = false;
  #replacedAt: MonotonicSeconds = -Infinity;
  readonly #offers: AeadOffers;
  readonly #exchangeFailures = new ReasonCounter<string>();

  /** Makes a group that does nothing until it is started. */
  constructor(options: SourceGroupOptions) {
    const { config, random, allocateLookup } = options;
    this.#config = config;
    this.#options = options;
    const isNts = config.mode === "nts" || config.mode === "nts-pool";
    assert(!isNts || options.startSession !== undefined, "A secured source can make sessions");
    this.#supply = new AddressSupply({
      ...config,
      isPool: config.mode === "pool",
      random,
      allocateLookup,
    });
    this.#offers = new AeadOffers(config.aeadAlgorithms);
    this.#nts = isNts ? new NtsStarter(options) : undefined;
    this.#members = new MemberList(options);
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
    const actions = surplus.flatMap((association) => this.#remove(association));
    for (const association of this.members) association.reconfigure(config);
    this.#supply.refresh(now);
    return [...actions, ...this.#maintain(now)];
  }

  /** The servers that are asked now. */
  get members(): readonly Association[] {
    return this.#members.associations;
  }

  /** Why there is no member, or fewer than wanted; undefined when nothing is known to be wrong. */
  get error(): string | undefined {
    return this.#nts?.error ?? this.#supply.error;
  }

  /**
   * What is wrong with a source that has no member: a predicate for a sentence; undefined while it
   * may still get one.
   */
  get report(): string | undefined {
    const { error } = this;
    if (error === undefined) return undefined;
    return `${this.#nts === undefined ? "cannot be asked" : "has no keys"}: ${error}`;
  }

  /** Key exchanges that brought nothing, by reason. */
  get exchangeFailures(): Readonly<Record<string, number>> {
    return this.#exchangeFailures.snapshot();
  }

  /**
   * Since when a name is being looked up or keys are being exchanged for a place without member;
   * undefined when not.
   */
  get preparingSince(): MonotonicSeconds | undefined {
    if (this.#members.length >= this.wanted) return undefined;
    return this.#nts === undefined ? this.#supply.lookupSince : this.#nts.exchangingSince;
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
  adopt(address: SocketAddress, protection: PacketProtection, now: MonotonicSeconds): void {
    assert(!this.#isStarted && this.#nts !== undefined, "Saved keys come before the start");
    if (this.#members.length < this.wanted && this.#holderOf(address) === undefined) {
      this.#add({ id: this.#options.allocateAssociation(), address, protection }, now);
    }
  }

  /** When `handleTimer` wants to be called; Infinity for never. */
  nextWakeup(): MonotonicSeconds {
    const members = this.members.map((association) => association.nextWakeup());
    return Math.min(this.#nextMaintenance(), ...members);
  }

  /** Lets every member ask when it is time, and replaces the dead and the bad. */
  handleTimer(now: MonotonicSeconds): readonly SourceAction[] {
    const actions = [...this.#removeOutranked()];
    for (const association of this.members) {
      if (now >= association.nextWakeup()) actions.push(...association.handleTimer(now));
    }
    return [...actions.map((action) => this.#withOffer(action)), ...this.#maintain(now)];
  }

  /** Hands a packet to its member; one for a member that is gone is dropped. */
  handleDatagram(
    event: DatagramEvent,
    now: MonotonicSeconds,
  ): Reception {
    const member = this.member(event.association);
    if (member === undefined) return { actions: [], measurement: undefined };
    const reception = member.handleDatagram(event, now);
    if (!member.isStopped) return reception;
    return { ...reception, actions: [...reception.actions, ...this.#maintain(now)] };
  }

  /** Hands bad news to the member that it is of. */
  handleSendFailed(
    event: SendFailedEvent,
    now: MonotonicSeconds,
  ): readonly SourceAction[] {
    return this.member(event.association)?.handleSendFailed(event, now) ?? [];
  }

  /** Takes the outcome of a lookup; undefined when it is not of this group. */
  handleResolved(
    event: ResolvedEvent,
    now: MonotonicSeconds,
  ): readonly SourceAction[] | undefined {
    if (this.#nts?.handleResolved(event) === true) return this.#maintain(now);
    if (!this.#supply.handleResolved(event.lookup, event.result)) return undefined;
    if (event.result.ok) {
      for (const member of this.#members.all) {
        member.isUnlisted = !this.#supply.isListed(member.association.address);
      }
    }
    return this.#maintain(now);
  }

  /** Takes the outcome of a key exchange; undefined when it is not of this group. */
  handleKeysExchanged(
    event: KeysExchangedEvent,
    now: MonotonicSeconds,
  ): readonly SourceAction[] | undefined {
    const member = this.member(event.association);
    const actions = member === undefined
      ? this.#nts?.handleKeysExchanged(event)
      : this.#renewKeys(member, event, now);
    if (actions === undefined) return undefined;
    if (!event.result.ok) {
      this.#exchangeFailures.add(event.reason ?? event.result.error);
      this.#offers.noteFailure(event.association, event.reason);
    }
    return [...actions, ...this.#maintain(now)];
  }

  /** Gives a member up for a reason that is told; another takes its place if there is one. */
  giveUp(id: number, reason: string, now: MonotonicSeconds): readonly SourceAction[] {
    const member = this.member(id);
    if (member === undefined) return [];
    const told = this.#log("warning", `gives up ${formatSocketAddress(member.address)}: ${reason}`);
    return [told, ...this.#remove(member), ...this.#maintain(now)];
  }

  /** Notes what selection thinks of a member: a pool gives a lasting falseticker up. */
  noteFalseticker(id: number, isFalseticker: boolean, now: MonotonicSeconds): void {
    this.#members.noteFalseticker(id, isFalseticker ? now : undefined);
  }

  /**
   * Asks every member for a burst, because the clock is not to be trusted, and looks for missing
   * members again.
   */
  requestBurst(now: MonotonicSeconds, begin: "at-once" | "spread" = "at-once"): void {
    this.#supply.retryNow(now);
    for (const association of this.members) association.requestBurst(now, begin);
  }

  /**
   * There may be a way to servers now that there was not before: asks, looks up and exchanges keys
   * within seconds.
   */
  askAgain(now: MonotonicSeconds): readonly SourceAction[] {
    this.#supply.retryNow(now);
    this.#nts?.restart(now);
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
    return this.members.flatMap((association) => this.#remove(association));
  }

  /**
   * Says which algorithms are offered; keys that brought no response are a reason to offer others.
   */
  #withOffer(action: SourceAction): SourceAction {
    if (action.type !== "exchange-keys") return action;
    const { association } = action;
    const member = this.member(association);
    if (member !== undefined && member.lastResponseAt === undefined) {
      this.#offers.noteSilence(association, member.protection?.status?.aead);
    }
    const isSilent = (member?.unansweredRequests ?? 0) >= SILENT_REQUESTS;
    return { ...action, aeadAlgorithms: this.#offers.begin(association), isSilent };
  }

  /**
   * Hands new keys to a member; a member that asks another server than they are for is made anew.
   */
  #renewKeys(
    member: Association,
    event: KeysExchangedEvent,
    now: MonotonicSeconds,
  ): readonly SourceAction[] {
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
      this.#log("info", `is sent from ${formatSocketAddress(member.address)} to ${where}`),
      ...this.#remove(member),
      ...this.#nts.move(outcome, { tries: member.protection?.exchangeTries ?? 0, now }),
    ];
  }

  /**
   * Fills free places, and those of members that are to give way, as far as there are addresses.
   */
  #maintain(now: MonotonicSeconds): readonly SourceAction[] {
    if (!this.#isStarted) return [];
    const actions: SourceAction[] = [];
    for (const member of this.#members.all) {
      if (member.association.isStopped || this.#members.isBad(member, now)) {
        this.#reject(member, now);
      }
    }
    while (this.#members.openPlaces(now) > 0) {
      const next = this.#nextMember(now);
      if (next === undefined) break;
      actions.push(...this.#makeRoom(next.address, now), ...this.#add(next, now));
    }
    for (const id of this.#nts?.takeEnded() ?? []) this.#offers.forget(id);
    const open = this.#members.openPlaces(now);
    if (open === 0) this.#resetBackoffs();
    if (now >= this.#nextReplacementAt()) actions.push(...this.#replaceUnlisted(now));
    if (this.#nts !== undefined) {
      const begun = open > 0 ? this.#nts.begin(open, now) : [];
      actions.push(...begun.map((action) => this.#withOffer(action)));
    } else if (
      now >= Math.min(open > 0 ? this.#supply.nextLookupAt : Infinity, this.#supply.refreshAt)
    ) {
      actions.push(this.#supply.beginLookup(now, this.#members.length === 0));
    }
    return actions;
  }

  /**
   * Waits grow until all members have answered (RFC 8915 section 4.2 asks so for key exchanges).
   */
  #resetBackoffs(): void {
    if (this.members.some(({ lastResponseAt }) => lastResponseAt === undefined)) return;
    this.#supply.resetBackoff();
    this.#nts?.resetBackoff();
  }

  /** When something is to be done that no member's timer and no event will bring. */
  #nextMaintenance(): MonotonicSeconds {
    if (!this.#isStarted) return Infinity;
    const isWaiting = this.#members.length < this.wanted ||
      this.members.some(isDead);
    if (this.#nts !== undefined) return isWaiting ? this.#nts.nextExchangeAt : Infinity;
    if (!isWaiting) return Math.min(this.#supply.refreshAt, this.#nextReplacementAt());
    const { nextLookupAt, refreshAt } = this.#supply;
    return Math.min(nextLookupAt, refreshAt, this.#supply.nextRehabilitationAt());
  }

  /** When a member that the name does not have any more may give way. */
  #nextReplacementAt(): MonotonicSeconds {
    const isWanted = this.#nts === undefined && this.#members.unlisted !== undefined;
    return isWanted ? this.#replacedAt + REPLACEMENT_INTERVAL : Infinity;
  }

  /** Lets one member that the name does not have any more give way, if there is another address. */
  #replaceUnlisted(now: MonotonicSeconds): readonly SourceAction[] {
    this.#replacedAt = now;
    const old = this.#members.unlisted?.association;
    const next = this.#nextMember(now);
    if (old === undefined || next === undefined) return [];
    const address = formatSocketAddress(old.address);
    return [
      this.#log("info", `gives up ${address}, which the name does not have any more`),
      ...this.#remove(old),
      ...this.#add(next, now),
    ];
  }

  #nextMember(now: MonotonicSeconds): NewMember | undefined {
    const holderOf = (address: SocketAddress) => this.#holderOf(address);
    if (this.#nts !== undefined) return this.#nts.take(now, holderOf);
    const address = this.#supply.take(now, holderOf);
    if (address === undefined) return undefined;
    const id = this.#options.allocateAssociation();
    return { id, address, protection: this.#options.protect?.() };
  }

  /**
   * Removes the member that was refused at the address of a new one, or one that is to give way if
   * all places are taken.
   */
  #makeRoom(address: SocketAddress, now: MonotonicSeconds): readonly SourceAction[] {
    const before = this.#members.at(address);
    if (before === undefined && this.#members.length < this.wanted) return [];
    const worst = before ?? this.#members.worst(now);
    assert(worst !== undefined, "An open place has a member that gives way");
    this.#reject(worst, now);
    return [
      this.#log("info", `gives up ${formatSocketAddress(worst.association.address)}`),
      ...this.#remove(worst.association),
    ];
  }

  #add(next: NewMember, now: MonotonicSeconds): readonly SourceAction[] {
    this.#members.add(next, now);
    return [this.#log("debug", `asks ${formatSocketAddress(next.address)}`)];
  }

  #reject(member: Member, now: MonotonicSeconds): void {
    if (member.isRejected) return;
    member.isRejected = true;
    this.#supply.reject(member.association.address, now);
  }

  #remove(association: Association): readonly SourceAction[] {
    this.#members.remove(association);
    this.#offers.forget(association.id);
    return association.stop();
  }

  /** Gives up members whose servers are asked for another source with more right. */
  #removeOutranked(): readonly SourceAction[] {
    return this.members.flatMap((association) => {
      const holder = this.#options.holderOf(association.address, association);
      if (holder === undefined) return [];
      this.#supply.giveBack(association.address);
      const where = formatSocketAddress(association.address);
      return [
        this.#log("info", `gives up ${where}, which has the same address as ${holder}`),
        ...this.#remove(association),
      ];
    });
  }

  /**
   * Names who asks an address already; a member that was refused, or whose keys are not good there,
   * does not stand in the way.
   */
  #holderOf(address: SocketAddress): string | undefined {
    const own = this.#members.at(address)?.association;
    return own === undefined || !holdsAddress(own)
      ? this.#options.holderOf(address)
      : this.config.address;
  }

  #log(level: LogAction["level"], text: string): LogAction {
    const source = this.config.address;
    return { type: "log", level, message: `Source ${source} ${text}`, source };
  }
}
