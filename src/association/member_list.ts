/**
 * The members of a group: which servers are asked in the places that a source has, and
 * which of them are to be replaced.
 *
 * Limits: it keeps count; the group decides what follows, and finds the addresses.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds } from "../base/units.ts";
import { Association } from "./association.ts";
import type { SourceGroupConfig } from "./config.ts";
import { isDead, isLastingFalseticker, type Member, type NewMember } from "./member.ts";
import type { SourceGroupOptions } from "./source_group_options.ts";

/** The members of one group, the oldest first. */
export class MemberList {
  readonly #options: SourceGroupOptions;
  #config: SourceGroupConfig;
  #members: Member[] = [];
  #associations: readonly Association[] = [];
  #removed: number[] = [];

  /** Starts without members. */
  constructor(options: SourceGroupOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** Takes over a changed configuration; members that are too many are the group's to remove. */
  reconfigure(config: SourceGroupConfig): void {
    this.#config = config;
  }

  /** How many members are wanted. */
  get wanted(): number {
    const { mode, count } = this.#config;
    return mode === "pool" || mode === "nts-pool" ? count : 1;
  }

  /** How many there are. */
  get length(): number {
    return this.#members.length;
  }

  /** All members. */
  get all(): readonly Member[] {
    return this.#members;
  }

  /** The servers that are asked. */
  get associations(): readonly Association[] {
    return this.#associations;
  }

  /** One that the name does not have any more; undefined when there is none. */
  get unlisted(): Member | undefined {
    return this.#members.find(({ isUnlisted }) => isUnlisted);
  }

  /** Finds the member with this number. */
  withId(id: number): Member | undefined {
    return this.#members.find(({ association }) => association.id === id);
  }

  /** Finds the member that asks an address, at whatever port. */
  at({ address, scopeId }: SocketAddress): Member | undefined {
    return this.#members.find(({ association: { address: other } }) =>
      other.address === address && other.scopeId === scopeId
    );
  }

  /** Places without a member, or with one that is to be replaced. */
  openPlaces(now: MonotonicSeconds): number {
    const good = this.#members.filter((member) =>
      !isDead(member.association) && !this.isBad(member, now)
    );
    return Math.max(0, this.wanted - good.length);
  }

  /** The member that is to be replaced first; undefined when all are good. */
  worst(now: MonotonicSeconds): Member | undefined {
    return this.#members.find((member) => member.association.isStopped) ??
      this.#members.find((member) => isDead(member.association)) ??
      this.#members.find((member) => this.isBad(member, now));
  }

  /** A pool has others to ask; a server that was named is asked even when it is wrong. */
  isBad(member: Member, now: MonotonicSeconds): boolean {
    return this.wanted > 1 && isLastingFalseticker(member, now);
  }

  /**
   * Notes that selection finds a member to be a falseticker at a time, or, undefined, not to be
   * one.
   */
  noteFalseticker(id: number, at: MonotonicSeconds | undefined): void {
    const member = this.withId(id);
    if (member === undefined) return;
    if (at === undefined) member.falsetickerSince = undefined;
    else member.falsetickerSince ??= at;
  }

  /** Adds a member to a free place, and starts it. */
  add(next: NewMember, now: MonotonicSeconds): void {
    assert(this.#members.length < this.wanted, "A member needs a free place");
    assert(this.withId(next.id) === undefined, "A member has a number of its own");
    const association = new Association({
      ...next,
      name: this.#config.address,
      config: this.#config,
      random: this.#options.random,
      allocateRequest: this.#options.allocateRequest,
    });
    association.start(now);
    this.#members.push({
      association,
      falsetickerSince: undefined,
      isRejected: false,
      isUnlisted: false,
    });
    this.#associations = [...this.#associations, association];
  }

  /** Removes a member; the group stops its association. */
  remove(association: Association): void {
    const before = this.#members.length;
    this.#members = this.#members.filter((member) => member.association !== association);
    assert(this.#members.length === before - 1, "A member is removed once");
    this.#associations = this.#members.map((member) => member.association);
    this.#removed.push(association.id);
  }

  /** Gives the numbers of the members that were removed since the last call. */
  takeRemoved(): readonly number[] {
    const removed = this.#removed;
    this.#removed = [];
    return removed;
  }
}
