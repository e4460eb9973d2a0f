/**
 * The connections of a server that is open to all: how many there may be, and which one goes when
 * another comes.
 *
 * The problem: a client that opens connections and sends nothing must not keep others out. The
 * idea: a newcomer is always let in; when the table is full, the oldest connection goes of the host
 * that holds most of them in the network prefix that holds most of them. So a flood costs its own
 * senders their connections, and a client that speaks at once is done before it is the oldest.
 *
 * Limits: a prefix is an IPv4 /24 or an IPv6 /48, a host an IPv4 address or an IPv6 /64. Closing is
 * the owner's business.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { ipToBytes } from "../../base/ip_address.ts";

/** Something that can be closed. */
export interface Closable {
  /** Ends it at once. */
  close(): void;
}

/** Where a connection comes from, as far as it is counted. */
export interface Origin {
  /** The network. */
  readonly prefix: string;
  /** The host in it. */
  readonly host: string;
}

// Sets and maps keep the order of insertion, so the first connection of a host is its oldest.
interface Crowd<Connection> {
  size: number;
  readonly byHost: Map<string, Set<Connection>>;
}

/** A bounded set of connections. */
export class ConnectionTable<Connection extends Closable> {
  readonly #sizeMax: number;
  readonly #byPrefix = new Map<string, Crowd<Connection>>();
  #size = 0;

  /** Makes a table for at most `sizeMax` connections. */
  constructor(sizeMax: number) {
    assert(sizeMax >= 1, "A table holds at least one connection");
    this.#sizeMax = sizeMax;
  }

  /** How many connections there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a connection; returns one that had to go for it (taken out of the table, to be closed by
   * the caller), or undefined.
   */
  add({ prefix, host }: Origin, connection: Connection): Connection | undefined {
    const evicted = this.#size >= this.#sizeMax ? this.evict() : undefined;
    const crowd = this.#byPrefix.get(prefix) ?? { size: 0, byHost: new Map() };
    const peers = crowd.byHost.get(host) ?? new Set();
    peers.add(connection);
    crowd.byHost.set(host, peers);
    crowd.size++;
    this.#byPrefix.set(prefix, crowd);
    this.#size++;
    assert(this.#size <= this.#sizeMax, "A table holds no more than it may");
    return evicted;
  }

  /** Takes a connection out; does nothing when it is not there any more. */
  remove({ prefix, host }: Origin, connection: Connection): void {
    const crowd = this.#byPrefix.get(prefix);
    const peers = crowd?.byHost.get(host);
    if (crowd === undefined || peers === undefined || !peers.delete(connection)) return;
    this.#size--;
    crowd.size--;
    if (peers.size === 0) crowd.byHost.delete(host);
    if (crowd.size === 0) this.#byPrefix.delete(prefix);
  }

  /**
   * Takes out the oldest connection of the busiest host of the largest crowd, to be closed by the
   * caller; undefined if there is none.
   */
  evict(): Connection | undefined {
    const [prefix, crowd] = largest(this.#byPrefix) ?? [];
    const [host, peers] = crowd === undefined ? [] : largest(crowd.byHost) ?? [];
    if (prefix === undefined || host === undefined || peers === undefined) return undefined;
    for (const oldest of peers) {
      this.remove({ prefix, host }, oldest);
      return oldest;
    }
    return undefined;
  }

  /** Closes all connections and empties the table. */
  closeAll(): void {
    for (const { byHost } of this.#byPrefix.values()) {
      for (const peers of byHost.values()) for (const connection of peers) connection.close();
    }
    this.#byPrefix.clear();
    this.#size = 0;
  }
}

/** Returns the entry of the largest size, the first of them. */
function largest<Value extends { readonly size: number }>(
  entries: ReadonlyMap<string, Value>,
): readonly [string, Value] | undefined {
  let found: readonly [string, Value] | undefined;
  for (const entry of entries) {
    if (found === undefined || entry[1].size > found[1].size) found = entry;
  }
  return found;
}

/** How many events of one prefix are let through. */
export interface PrefixRate {
  /** How many at once, after a rest. */
  readonly burst: number;
  /** How many a second for ever. */
  readonly perSecond: number;
}

/** Lets a bounded number of events of each prefix through, as a token bucket. */
export class PrefixLimit {
  readonly #rate: PrefixRate;
  readonly #prefixesMax: number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** Makes a limit that remembers `prefixesMax` prefixes, the latest ones. */
  constructor(rate: PrefixRate, prefixesMax = 4096) {
    this.#rate = rate;
    this.#prefixesMax = prefixesMax;
  }

  /**
   * Tells whether one more event of a prefix is let through at `now`, in seconds of any clock that
   * does not go back.
   */
  take(prefix: string, now: number): boolean {
    const { burst, perSecond } = this.#rate;
    const bucket = this.#buckets.get(prefix) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) * perSecond);
    bucket.at = now;
    // Taken out and put back, the prefix becomes the latest in the map's order.
    this.#buckets.delete(prefix);
    this.#buckets.set(prefix, bucket);
    if (this.#buckets.size > this.#prefixesMax) this.#forgetOldest();
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #forgetOldest(): void {
    for (const prefix of this.#buckets.keys()) {
      this.#buckets.delete(prefix);
      return;
    }
  }
}

/**
 * Returns the network prefix of a numeric address, for counting: the /24 of IPv4 (also when mapped
 * into IPv6), the /48 of IPv6; undefined for addresses of this host itself (loopback).
 */
export function networkPrefix(address: string): string | undefined {
  const bytes = plainBytes(address);
  if (bytes === undefined) return "unknown";
  if (bytes.length === 4) return bytes[0] === 127 ? undefined : bytes.subarray(0, 3).join(".");
  const loopback = bytes.every((octet, i) => octet === (i === 15 ? 1 : 0));
  return loopback ? undefined : bytes.subarray(0, 6).join(":");
}

/** Tells where a numeric address is counted: a host is an IPv4 address or an IPv6 /64. */
export function originOf(address: string): Origin {
  const bytes = plainBytes(address);
  const host = bytes?.subarray(0, bytes.length === 4 ? 4 : 8).join(".") ?? "unknown";
  return { prefix: networkPrefix(address) ?? "this host", host };
}

/** The octets of an address without its zone, four for one of IPv4 that is mapped into IPv6. */
function plainBytes(address: string): Uint8Array | undefined {
  const bytes = ipToBytes(address.replace(/%.*$/, ""));
  const isMapped = bytes?.length === 16 && bytes.subarray(0, 10).every((octet) => octet === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.subarray(12) : bytes;
}
