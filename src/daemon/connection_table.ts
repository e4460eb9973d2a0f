/**
 * The connections of a server that anybody may call: how many there may be, and which one goes when another comes.
 *
 * The problem: whoever opens connections and sends nothing must not keep others out. The idea: a newcomer is always let in;
 * when the table is full, the oldest connection of the network prefix that holds most of them is closed. So a flood costs
 * its own senders their connections, and a client that speaks at once is done before it is the oldest.
 *
 * Limits: a prefix is an IPv4 /24 or an IPv6 /48. Closing is the owner's business, by the callback.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { ipToBytes } from "../base/ip_address.ts";

/** Something that can be closed. */
export interface Closable {
  /** Ends it at once. */
  close(): void;
}

/** A bounded set of connections. */
export class ConnectionTable<Connection extends Closable> {
  readonly #sizeMax: number;
  // Sets keep the order of insertion, so the first of a prefix is its oldest.
  readonly #byPrefix = new Map<string, Set<Connection>>();
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

  /** Adds a connection; returns one that had to go for it (taken out of the table, to be closed by the caller), or undefined. */
  add(prefix: string, connection: Connection): Connection | undefined {
    const evicted = this.#size >= this.#sizeMax ? this.evict() : undefined;
    const peers = this.#byPrefix.get(prefix) ?? new Set();
    peers.add(connection);
    this.#byPrefix.set(prefix, peers);
    this.#size++;
    assert(this.#size <= this.#sizeMax, "A table holds no more than it may");
    return evicted;
  }

  /** Takes a connection out; does nothing when it is not there any more. */
  remove(prefix: string, connection: Connection): void {
    const peers = this.#byPrefix.get(prefix);
    if (peers === undefined || !peers.delete(connection)) return;
    this.#size--;
    if (peers.size === 0) this.#byPrefix.delete(prefix);
  }

  /** Closes all connections and empties the table. */
  closeAll(): void {
    for (const peers of this.#byPrefix.values()) for (const connection of peers) connection.close();
    this.#byPrefix.clear();
    this.#size = 0;
  }

  /** Takes out the oldest connection of the largest crowd, to be closed by the caller; undefined when the table is empty. */
  evict(): Connection | undefined {
    let largest: [string, Set<Connection>] | undefined;
    for (const entry of this.#byPrefix) {
      if (largest === undefined || entry[1].size > largest[1].size) largest = entry;
    }
    if (largest === undefined) return undefined;
    for (const oldest of largest[1]) {
      this.remove(largest[0], oldest);
      return oldest;
    }
    return undefined;
  }
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

  /** Tells whether one more event of a prefix is let through at `now`, in seconds of any clock that does not go back. */
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
 * Returns the network prefix of a numeric address, for counting: the /24 of IPv4 (also when mapped into IPv6), the /48 of IPv6;
 * undefined for addresses of this host itself (loopback).
 */
export function networkPrefix(address: string): string | undefined {
  const bytes = ipToBytes(address.replace(/%.*$/, ""));
  if (bytes === undefined) return "unknown";
  const mapped = bytes.length === 16 && bytes.subarray(0, 10).every((octet) => octet === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  const v4 = bytes.length === 4 ? bytes : mapped ? bytes.subarray(12) : undefined;
  if (v4 !== undefined) return v4[0] === 127 ? undefined : v4.subarray(0, 3).join(".");
  const loopback = bytes.every((octet, i) => octet === (i === 15 ? 1 : 0));
  return loopback ? undefined : bytes.subarray(0, 6).join(":");
}
