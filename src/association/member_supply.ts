/**
 * Where the members of a source come from: the addresses of a name, or key exchanges.
 *
 * The idea: one interface for both, so that a source fills its places without knowing which it is.
 * What the keys of a key exchange are for, only `nts_starter.ts` knows.
 *
 * @module
 */
import type { SocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds } from "../base/units.ts";
import type { ResolvedEvent, SourceAction } from "./events.ts";
import type { NewMember } from "./member.ts";

/** Names the source that asks an address already; undefined when none does. */
export type HolderOf = (address: SocketAddress) => string | undefined;

/** What is known of a source when it wants members. */
export interface MemberNeed {
  /** How many places have no member, or one that is to be replaced. */
  readonly open: number;
  /** Whether there is no member at all. */
  readonly isEmpty: boolean;
}

/** Makes new members for one source. */
export interface MemberSupply {
  /** Why there is no new member; undefined when nothing is known to be wrong. */
  readonly error: string | undefined;
  /** Since when a lookup or a key exchange has been under way; undefined when none is. */
  readonly preparingSince: MonotonicSeconds | undefined;
  /**
   * When there is something to begin; Infinity for never. `isWaiting`: a place has no member, or
   * one that is dead.
   */
  dueAt(isWaiting: boolean): MonotonicSeconds;
  /** Begins what is due: lookups or key exchanges. */
  begin(need: MemberNeed, now: MonotonicSeconds): readonly SourceAction[];
  /** Takes the outcome of a lookup; false when the lookup is not of this supply. */
  handleResolved(event: ResolvedEvent): boolean;
  /** Gives the next member whose address is not in use; undefined when there is none. */
  take(now: MonotonicSeconds, holderOf: HolderOf): NewMember | undefined;
  /** All places have members that answer: the next need begins with short waits again. */
  resetBackoff(): void;
  /** The network is another one: what is to be begun is due within seconds. */
  networkChanged(now: MonotonicSeconds): void;
  /** The clock is not to be trusted, as after a suspend: looks for members again soon. */
  retryNow?(now: MonotonicSeconds): void;
  /** Looks the name up again soon, whether members are wanted or not. */
  refresh?(now: MonotonicSeconds): void;
  /** Leaves the address of a member that turned out bad out for a while. */
  reject?(address: SocketAddress, now: MonotonicSeconds): void;
  /** A member gave its address up for no fault of it. */
  giveBack?(address: SocketAddress): void;
  /** Tells whether the name still has an address. */
  isListed?(address: SocketAddress): boolean;
}
