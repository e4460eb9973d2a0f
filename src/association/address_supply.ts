/**
 * Where a source gets its addresses from: a name that is looked up again when addresses run out, or one numeric address.
 *
 * The problem: names change their addresses, name servers fail, and a name that is looked up in a loop is a nuisance. The
 * idea: addresses of the last answer are used up first; then the name is looked up again, at growing intervals with some
 * chance in them, until the source says that it is satisfied. Addresses that turned out bad are left out for an hour. Limits:
 * the lookup itself is an action for others; a numeric address is never looked up.
 *
 * @module
 */
import { canonicalIp } from "../base/ip_address.ts";
import { type RandomSource, uniform } from "../base/random.ts";
import type { Result } from "../base/result.ts";
import { formatAddress, type SocketAddress, socketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import type { ResolveName } from "./border.ts";

/** The shortest and the longest time between two lookups, as exponents of two seconds: 4 s to about half an hour. */
const BACKOFF_MIN = 2;
const BACKOFF_MAX = 11;

/** While a source has no server at all, lookups are at most about a minute apart: the network may be back any time. */
const BACKOFF_MAX_EMPTY = 6;

/** After a lookup that succeeded but brought nothing new, the next is at least 2 to this power seconds away. */
const BACKOFF_NOTHING_NEW = 6;

/** How much longer than its power of two a time between lookups may be by chance. */
const BACKOFF_SPREAD = 0.25;

/** How long an address that turned out bad is left out. */
const REJECTION_TIME: Seconds = 3600;

/** How many addresses of an answer, and how many rejections, are remembered. */
const ADDRESSES_MAX = 64;

/** Addresses for one source. */
export class AddressSupply {
  readonly #host: string;
  readonly #port: number;
  readonly #isNumeric: boolean;
  readonly #ignored: ReadonlySet<string>;
  readonly #random: RandomSource;
  readonly #allocateLookup: () => number;
  readonly #rejected = new Map<string, MonotonicSeconds>();
  #candidates: SocketAddress[] = [];
  #lookup: number | undefined = undefined;
  #lookupAt: MonotonicSeconds = -Infinity;
  #nextLookupAt: MonotonicSeconds = -Infinity;
  #backoff = BACKOFF_MIN;
  #lastError: string | undefined = undefined;

  /** Makes the supply; `host` is a name or a numeric address. */
  constructor(options: {
    readonly host: string;
    readonly port: number;
    readonly ignore: readonly string[];
    readonly random: RandomSource;
    readonly allocateLookup: () => number;
  }) {
    this.#host = options.host;
    this.#port = options.port;
    this.#ignored = new Set(options.ignore.map((text) => canonicalIp(text) ?? text));
    this.#random = options.random;
    this.#allocateLookup = options.allocateLookup;
    const numeric = socketAddress(options.host, options.port);
    this.#isNumeric = numeric !== undefined;
    if (numeric !== undefined) this.#candidates = [numeric];
  }

  /** Why the last lookup failed; undefined when it did not. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** When a lookup may be begun; Infinity while one is running or when none is ever needed. */
  get nextLookupAt(): MonotonicSeconds {
    return this.#isNumeric || this.#lookup !== undefined ? Infinity : this.#nextLookupAt;
  }

  /** Begins a lookup; the next one is due after a while that grows with every lookup. `isEmpty`: there is no server yet. */
  beginLookup(now: MonotonicSeconds, isEmpty: boolean): ResolveName {
    this.#lookup = this.#allocateLookup();
    this.#lookupAt = now;
    if (isEmpty) this.#backoff = Math.min(this.#backoff, BACKOFF_MAX_EMPTY);
    const spread = 1 + BACKOFF_SPREAD * uniform(this.#random);
    this.#nextLookupAt = now + 2 ** this.#backoff * spread;
    this.#backoff = Math.min(BACKOFF_MAX, this.#backoff + 1);
    return { type: "resolve", lookup: this.#lookup, host: this.#host };
  }

  /** Takes the outcome of a lookup; false when the lookup is not of this supply. */
  handleResolved(lookup: number, result: Result<readonly string[], string>): boolean {
    if (lookup !== this.#lookup) return false;
    this.#lookup = undefined;
    this.#lastError = result.ok ? undefined : result.error;
    if (!result.ok) return true;
    this.#candidates = [];
    for (const text of result.value.slice(0, ADDRESSES_MAX)) {
      const address = socketAddress(text, this.#port);
      if (address !== undefined && !this.#ignored.has(address.address)) {
        this.#candidates.push(address);
      }
    }
    this.#backoff = Math.max(this.#backoff, BACKOFF_NOTHING_NEW);
    return true;
  }

  /** Gives the next address that is neither bad nor in use, and does not give it again; undefined when there is none. */
  take(
    now: MonotonicSeconds,
    isInUse: (address: SocketAddress) => boolean,
  ): SocketAddress | undefined {
    this.#forgetOldRejections(now);
    const usable = (address: SocketAddress) =>
      !this.#rejected.has(formatAddress(address)) && !isInUse(address);
    this.#candidates = this.#candidates.filter((address) => this.#isNumeric || usable(address));
    const at = this.#candidates.findIndex(usable);
    return at < 0 ? undefined : this.#candidates.splice(at, 1)[0];
  }

  /** Leaves an address out for an hour. A numeric one is kept for then, since there is no other. */
  reject(address: SocketAddress, now: MonotonicSeconds): void {
    this.#forgetOldRejections(now);
    if (this.#rejected.size < ADDRESSES_MAX) {
      this.#rejected.set(formatAddress(address), now + REJECTION_TIME);
    }
    if (this.#isNumeric) this.#candidates = [address];
  }

  /** When an address that was left out may be tried again; Infinity when there is none. */
  nextRehabilitationAt(): MonotonicSeconds {
    return Math.min(Infinity, ...this.#rejected.values());
  }

  /** The world may have changed, as after a suspend: the next lookup is due as soon as manners allow. */
  hurry(now: MonotonicSeconds): void {
    this.#backoff = BACKOFF_MIN;
    const soon = Math.max(now, this.#lookupAt + 2 ** BACKOFF_MIN);
    this.#nextLookupAt = Math.min(this.#nextLookupAt, soon);
  }

  /** The source has all that it wants: the next need begins with short intervals again. */
  satisfied(): void {
    this.#backoff = BACKOFF_MIN;
  }

  #forgetOldRejections(now: MonotonicSeconds): void {
    for (const [address, until] of this.#rejected) {
      if (now >= until) this.#rejected.delete(address);
    }
  }
}
