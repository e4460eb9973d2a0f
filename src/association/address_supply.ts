/**
 * Where a source gets its addresses from: a name that is looked up again when addresses run out, or
 * one numeric address.
 *
 * The problem: names change their addresses, name servers fail, and a name that is looked up in a
 * loop is a nuisance. The idea: addresses of the last response are used up first; then the name is
 * looked up again, at growing intervals with some chance in them, until all places of the source
 * have members that answer. Without any need it is looked up every two weeks, so that a server that
 * has moved is followed. Addresses that turned out bad are left out for an hour. Limits: the lookup
 * itself is an action for others; a numeric address is never looked up.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { type RandomSource, uniform } from "../base/random.ts";
import { formatAddress, type SocketAddress, socketAddress } from "../base/socket_address.ts";
import { type MonotonicSeconds, type Seconds, SECONDS_PER_DAY } from "../base/units.ts";
import { ignoredAddresses, readAddresses } from "./address_list.ts";
import type { ResolvedEvent, SourceAction } from "./events.ts";
import type { NewMember } from "./member.ts";
import type { HolderOf, MemberNeed, MemberSupply } from "./member_supply.ts";
import type { SourceGroupOptions } from "./source_group_options.ts";

/**
 * The shortest and the longest time between two lookups, as exponents of two seconds: 4 s to about
 * half an hour.
 */
const BACKOFF_MIN = 2;
const BACKOFF_MAX = 11;

/**
 * While a source has no server at all, lookups are at most about a minute apart: the network may be
 * back any time.
 */
const BACKOFF_MAX_EMPTY = 6;

/**
 * After a lookup that succeeded but brought nothing new, the next is at least 2 to this power
 * seconds away.
 */
const BACKOFF_NOTHING_NEW = 6;

/** How much longer than its power of two a time between lookups may be by chance. */
const BACKOFF_SPREAD = 0.25;

/** A name whose servers all answer is looked up again after so long, and up to a quarter more. */
const REFRESH_INTERVAL: Seconds = 14 * SECONDS_PER_DAY;

/** How long an address that turned out bad is left out. */
const REJECTION_TIME: Seconds = 3600;

/** How many rejections are remembered. */
const REJECTIONS_MAX = 64;

/** An address that another source asks is tried again after so long, without a lookup. */
const IN_USE_WAIT: Seconds = 64;

/** Members from the addresses of one source. */
export class AddressSupply implements MemberSupply {
  readonly #host: string;
  readonly #port: number;
  readonly #isPool: boolean;
  readonly #isNumeric: boolean;
  readonly #ignored: ReadonlySet<string>;
  readonly #random: RandomSource;
  readonly #allocateLookup: () => number;
  readonly #allocateAssociation: () => number;
  readonly #protect: SourceGroupOptions["protect"];
  readonly #rejected = new Map<string, MonotonicSeconds>();
  #candidates: readonly SocketAddress[] = [];
  /** Whether the last lookup brought a response, if only an empty one. */
  #isAnswered = false;
  /** All usable addresses of the last response. */
  #listed: readonly SocketAddress[] = [];
  /** Why addresses of the last response are not used. */
  #reason: string | undefined = undefined;
  #lookup: number | undefined = undefined;
  #lookupAt: MonotonicSeconds = -Infinity;
  #nextLookupAt: MonotonicSeconds = -Infinity;
  #refreshAt: MonotonicSeconds = Infinity;
  #inUseUntil: MonotonicSeconds = Infinity;
  #backoff = BACKOFF_MIN;
  #error: string | undefined = undefined;

  /** Makes the supply of a source, whose host is a name or a numeric address. */
  constructor(options: SourceGroupOptions) {
    const { host, port, mode, ignore } = options.config;
    this.#host = host;
    this.#port = port;
    this.#isPool = mode === "pool";
    this.#ignored = ignoredAddresses(ignore);
    this.#random = options.random;
    this.#allocateLookup = options.allocateLookup;
    this.#allocateAssociation = options.allocateAssociation;
    this.#protect = options.protect;
    this.#isNumeric = socketAddress(host, port) !== undefined;
    if (this.#isNumeric) this.#takeResponse([host]);
  }

  /**
   * Why the last lookup failed, or why none of the addresses can be used; undefined when nothing is
   * wrong.
   */
  get error(): string | undefined {
    return this.#error;
  }

  /** Since when a lookup has been under way; undefined when none is. */
  get preparingSince(): MonotonicSeconds | undefined {
    return this.#lookup === undefined ? undefined : this.#lookupAt;
  }

  /**
   * When a lookup is due, or an address that was left out may be tried again; Infinity while a
   * lookup is under way, or for ever.
   */
  dueAt(isWaiting: boolean): MonotonicSeconds {
    const lookupAt = this.#lookupDueAt(isWaiting);
    return isWaiting ? Math.min(lookupAt, this.#inUseUntil, ...this.#rejected.values()) : lookupAt;
  }

  /** Begins a lookup if one is due; the next is due after a while that grows with every one. */
  begin({ open, isEmpty }: MemberNeed, now: MonotonicSeconds): readonly SourceAction[] {
    if (now < this.#lookupDueAt(open > 0)) return [];
    assert(!this.#isNumeric && this.#lookup === undefined, "One lookup of a name is under way");
    this.#lookup = this.#allocateLookup();
    this.#lookupAt = now;
    const isForWant = isEmpty && this.#inUseUntil === Infinity;
    if (isForWant) this.#backoff = Math.min(this.#backoff, BACKOFF_MAX_EMPTY);
    const spread = 1 + BACKOFF_SPREAD * uniform(this.#random);
    this.#nextLookupAt = now + 2 ** this.#backoff * spread;
    this.#refreshAt = Math.max(this.#nextLookupAt, now + 2 ** BACKOFF_MAX_EMPTY);
    this.#backoff = Math.min(BACKOFF_MAX, this.#backoff + 1);
    return [{ type: "resolve", lookup: this.#lookup, host: this.#host }];
  }

  /** Takes the outcome of a lookup; false when the lookup is not of this supply. */
  handleResolved({ lookup, result }: ResolvedEvent): boolean {
    if (lookup !== this.#lookup) return false;
    this.#lookup = undefined;
    this.#error = result.ok ? undefined : result.error;
    this.#isAnswered = false;
    if (!result.ok) return true;
    this.#takeResponse(result.value);
    this.#refreshAt = this.#lookupAt +
      REFRESH_INTERVAL * (1 + BACKOFF_SPREAD * uniform(this.#random));
    this.#backoff = Math.max(this.#backoff, BACKOFF_NOTHING_NEW);
    return true;
  }

  /** Tells whether the last response still had an address. */
  isListed(address: SocketAddress): boolean {
    return this.#isNumeric ||
      this.#listed.some((listed) => formatAddress(listed) === formatAddress(address));
  }

  /**
   * Gives a member for the next address that is neither bad nor in use, and does not give the
   * address again; undefined when there is none.
   */
  take(now: MonotonicSeconds, holderOf: HolderOf): NewMember | undefined {
    const address = this.#takeAddress(now, holderOf);
    if (address === undefined) return undefined;
    return { id: this.#allocateAssociation(), address, protection: this.#protect?.() };
  }

  /** Leaves an address out for an hour. A numeric one is kept for then, since there is no other. */
  reject(address: SocketAddress, now: MonotonicSeconds): void {
    this.#forgetOldRejections(now);
    if (this.#rejected.size < REJECTIONS_MAX) {
      this.#rejected.set(formatAddress(address), now + REJECTION_TIME);
    }
    if (this.#isNumeric) this.#candidates = [address];
  }

  /**
   * A member gave its address up for no fault of it. A numeric one is kept, since there is no
   * other.
   */
  giveBack(address: SocketAddress): void {
    if (this.#isNumeric) this.#candidates = [address];
  }

  /**
   * The world may have changed, as after a suspend: the next lookup is due as soon as manners
   * allow.
   */
  retryNow(now: MonotonicSeconds): void {
    this.#backoff = BACKOFF_MIN;
    this.#nextLookupAt = Math.min(this.#nextLookupAt, this.#soonest(now));
  }

  /** The network is another one: the next lookup is due as soon as manners allow. */
  networkChanged(now: MonotonicSeconds): void {
    this.retryNow(now);
  }

  /** The name is looked up again as soon as manners allow, wanted or not. */
  refresh(now: MonotonicSeconds): void {
    this.#refreshAt = Math.min(this.#refreshAt, this.#soonest(now));
  }

  /** The source has all that it wants: the next need begins with short intervals again. */
  resetBackoff(): void {
    this.#backoff = BACKOFF_MIN;
  }

  /** When a lookup is due for want of addresses, or to follow a name whose addresses change. */
  #lookupDueAt(isWanted: boolean): MonotonicSeconds {
    if (this.#isNumeric || this.#lookup !== undefined) return Infinity;
    return isWanted ? Math.min(this.#nextLookupAt, this.#refreshAt) : this.#refreshAt;
  }

  #takeAddress(now: MonotonicSeconds, holderOf: HolderOf): SocketAddress | undefined {
    this.#forgetOldRejections(now);
    const next = this.#candidates.find((address) => this.#isUsable(address, holderOf));
    if (next === undefined) {
      this.#noteNone(now, holderOf);
      return undefined;
    }
    this.#candidates = this.#candidates.filter((address) =>
      address !== next && (this.#isNumeric || this.#isUsable(address, holderOf))
    );
    this.#error = undefined;
    return next;
  }

  #soonest(now: MonotonicSeconds): MonotonicSeconds {
    return Math.max(now, this.#lookupAt + 2 ** BACKOFF_MIN);
  }

  #takeResponse(texts: readonly string[]): void {
    const { addresses, reason } = readAddresses(texts, {
      port: this.#port,
      ignored: this.#ignored,
      shuffle: this.#isPool ? this.#random : undefined,
    });
    this.#isAnswered = true;
    this.#listed = addresses;
    this.#candidates = addresses;
    this.#reason = reason;
  }

  #isUsable(address: SocketAddress, holderOf: HolderOf): boolean {
    return !this.#rejected.has(formatAddress(address)) && holderOf(address) === undefined;
  }

  /**
   * Says why no address is left, unless the lookup itself is the reason or nothing has been looked
   * up yet.
   */
  #noteNone(now: MonotonicSeconds, holderOf: HolderOf): void {
    this.#inUseUntil = Infinity;
    if (!this.#isAnswered || this.#lookup !== undefined) return;
    const taken = this.#listed.find((address) => holderOf(address) !== undefined);
    if (taken !== undefined) {
      this.#inUseUntil = now + IN_USE_WAIT;
      this.#candidates = this.#listed;
      this.#error = `The address ${formatAddress(taken)} is already polled for ${holderOf(taken)}`;
    } else if (this.#listed.length === 0) {
      this.#error = this.#reason ?? "The name has no address";
    } else {
      this.#error = "All known addresses have failed and are left out for an hour";
    }
  }

  #forgetOldRejections(now: MonotonicSeconds): void {
    for (const [address, until] of this.#rejected) {
      if (now >= until) this.#rejected.delete(address);
    }
  }
}
