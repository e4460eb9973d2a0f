/**
 * The places of a source: filled while there are addresses, and given to others when their members
 * are bad.
 *
 * The idea: a free place, a member that is dead or wrong, one whose address the name does not have
 * any more, and one whose server another source asks with more right are four reasons for one
 * thing, so they are together. Limits: where new members come from is for a `MemberSupply`; when
 * all this is looked at is for `source_group.ts`.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { formatSocketAddress, type SocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import type { AeadOffers } from "./aead_offers.ts";
import type { Association } from "./association.ts";
import type { SourceAction } from "./events.ts";
import { holdsAddress, type Member, type NewMember } from "./member.ts";
import type { MemberList } from "./member_list.ts";
import type { MemberSupply } from "./member_supply.ts";
import type { SourceGroupOptions } from "./source_group_options.ts";
import { SourceLog } from "./source_log.ts";

/**
 * Members that the name does not have any more are replaced one by one, so far apart, since each
 * has to be measured first.
 */
const REPLACEMENT_INTERVAL: Seconds = 3600;

/** What the places of a source are made of. */
export interface MemberPlacesOptions {
  /** The address of the source as it is configured. */
  readonly source: string;
  /** Who is in the places. */
  readonly members: MemberList;
  /** Where new members come from. */
  readonly supply: MemberSupply;
  /** What is remembered of the key exchanges of members. */
  readonly offers: AeadOffers;
  /** Names another source that asks the server at an address. */
  readonly holderOf: SourceGroupOptions["holderOf"];
}

/** Fills the places of one source. */
export class MemberPlaces {
  readonly #source: string;
  readonly #members: MemberList;
  readonly #supply: MemberSupply;
  readonly #offers: AeadOffers;
  readonly #holderOfOthers: SourceGroupOptions["holderOf"];
  readonly #log: SourceLog;
  #replacedAt: MonotonicSeconds = -Infinity;

  /** Takes the members and the supply of one source. */
  constructor(options: MemberPlacesOptions) {
    this.#source = options.source;
    this.#members = options.members;
    this.#supply = options.supply;
    this.#offers = options.offers;
    this.#holderOfOthers = options.holderOf;
    this.#log = new SourceLog(options.source);
  }

  /**
   * Fills free places, and those of members that are to be replaced, as far as there are addresses.
   */
  fill(now: MonotonicSeconds): readonly SourceAction[] {
    for (const member of this.#members.all) {
      if (member.association.isStopped || this.#members.isBad(member, now)) {
        this.#reject(member, now);
      }
    }
    const actions: SourceAction[] = [];
    while (this.#members.openPlaces(now) > 0) {
      const next = this.#next(now);
      if (next === undefined) break;
      actions.push(...this.#makeRoom(next.address, now), ...this.add(next, now));
    }
    return actions;
  }

  /** When a member that the name does not have any more may be replaced; Infinity for never. */
  nextReplacementAt(): MonotonicSeconds {
    return this.#members.unlisted === undefined
      ? Infinity
      : this.#replacedAt + REPLACEMENT_INTERVAL;
  }

  /** Replaces one member that the name does not have any more, if there is another address. */
  replaceUnlisted(now: MonotonicSeconds): readonly SourceAction[] {
    const old = this.#members.unlisted?.association;
    if (old === undefined || now < this.nextReplacementAt()) return [];
    this.#replacedAt = now;
    const next = this.#next(now);
    if (next === undefined) return [];
    const address = formatSocketAddress(old.address);
    return [
      this.#log.line("info", `no longer uses ${address}: the name no longer resolves to it`),
      ...this.remove(old),
      ...this.add(next, now),
    ];
  }

  /** Gives up members whose servers are asked for another source with more right. */
  removeOutranked(): readonly SourceAction[] {
    return this.#members.associations.flatMap((association) => {
      const holder = this.#holderOfOthers(association.address, association);
      if (holder === undefined) return [];
      this.#supply.giveBack?.(association.address);
      const where = formatSocketAddress(association.address);
      return [
        this.#log.line("info", `no longer uses ${where}: it is polled for ${holder}`),
        ...this.remove(association),
      ];
    });
  }

  /**
   * Names who asks an address already; a member that was refused, or whose keys are not good there,
   * does not stand in the way.
   */
  holderOf(address: SocketAddress): string | undefined {
    const own = this.#members.at(address)?.association;
    return own === undefined || !holdsAddress(own) ? this.#holderOfOthers(address) : this.#source;
  }

  /** Puts a new member into a free place. */
  add(next: NewMember, now: MonotonicSeconds): readonly SourceAction[] {
    this.#members.add(next, now);
    return [this.#log.line("debug", `uses ${formatSocketAddress(next.address)}`)];
  }

  /** Takes a member out of its place, and stops it. */
  remove(association: Association): readonly SourceAction[] {
    this.#members.remove(association);
    this.#offers.forget(association.id);
    return association.stop();
  }

  #next(now: MonotonicSeconds): NewMember | undefined {
    return this.#supply.take(now, (address) => this.holderOf(address));
  }

  /**
   * Removes the member that was refused at the address of a new one, or one that is to be replaced
   * if all places are taken.
   */
  #makeRoom(address: SocketAddress, now: MonotonicSeconds): readonly SourceAction[] {
    const before = this.#members.at(address);
    if (before === undefined && this.#members.length < this.#members.wanted) return [];
    const worst = before ?? this.#members.worst(now);
    assert(worst !== undefined, "An open place has a member that is replaced");
    this.#reject(worst, now);
    return [
      this.#log.line("info", `no longer uses ${formatSocketAddress(worst.association.address)}`),
      ...this.remove(worst.association),
    ];
  }

  #reject(member: Member, now: MonotonicSeconds): void {
    if (member.isRejected) return;
    member.isRejected = true;
    this.#supply.reject?.(member.association.address, now);
  }
}
