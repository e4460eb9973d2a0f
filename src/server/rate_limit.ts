/**
 * How often a client is answered: a token bucket for each address (IPv6: each /64), as chrony's
 * `ratelimit` has it.
 *
 * The problem: the addresses may be forged, a million of them. The memory must stay what it is,
 * honest clients must be answered, and no client may be silenced by requests that another sends
 * with its address. The idea: a bucket is one number, the time at which it will be full again (the
 * generic cell rate algorithm); a bucket that is full is no different from one that is not there,
 * so the table forgets without harm. It has rows of eight slots chosen by a keyed hash; a newcomer
 * takes the slot of the fullest bucket in its row. Limits: in a flood that outnumbers the table, a
 * client that asks too often may be forgotten and gets a fresh burst; forgetting never works
 * against a client. One in 2^leak requests beyond the limit is answered anyway, so that a forger
 * cannot silence a victim.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { RandomSource } from "../base/random.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import { type Client, clientHigh, clientLow } from "./client.ts";
import { KeyedHash } from "./keyed_hash.ts";

/** Within the limit. */
export const RATE_PASS = 0;
/** Beyond the limit, but one of those that are answered all the same. */
export const RATE_LEAK = 1;
/** Beyond the limit. */
export const RATE_LIMITED = 2;

/** What the limiter says of a request: one of the three numbers above. */
export type RateOutcome = 0 | 1 | 2;

/** The numbers of a rate limit, in chrony's terms. */
export interface RateLimitOptions {
  /** One response in 2^interval seconds on average, -19 to 12. */
  readonly interval: number;
  /** How many responses may come at once after a pause, 1 to 255. */
  readonly burst: number;
  /** One in 2^leak requests beyond the limit is answered, 1 to 8; none when undefined. */
  readonly leak: number | undefined;
  /**
   * How many clients are remembered at least half of the time when all are busy; 100,000 when left
   * out.
   */
  readonly clients?: number;
  /** Keys the hash and picks what leaks. */
  readonly random: RandomSource;
}

const WAYS = 8;
const CLIENTS_DEFAULT = 100_000;
const LEAK_POOL_LENGTH = 256;

/** Token buckets in a table of fixed size. */
export class RateLimiter {
  readonly #hash: KeyedHash;
  readonly #random: RandomSource;
  readonly #increment: Seconds;
  readonly #tolerance: Seconds;
  readonly #leakMask: number;
  readonly #rowMask: number;
  /** Two words for each slot: what identifies the client. */
  readonly #keys: Int32Array;
  /** For each slot the boot time at which its bucket is full again. */
  readonly #fullAt: Float64Array;
  readonly #leakPool = new Uint8Array(LEAK_POOL_LENGTH);
  #leakUsed = LEAK_POOL_LENGTH;
  #now: MonotonicSeconds = 0;

  /** Allocates the whole table: 16 octets for each slot, about 4 MiB for 100,000 clients. */
  constructor(options: RateLimitOptions) {
    const { interval, burst, leak, clients = CLIENTS_DEFAULT } = options;
    assert(interval >= -19 && interval <= 17, "A rate limit has an interval of -19 to 17");
    assert(burst >= 1 && burst <= 255, "A rate limit has a burst of 1 to 255");
    assert(leak === undefined || (leak >= 1 && leak <= 8), "A rate limit has a leak of 1 to 8");
    assert(
      clients >= 1 && clients <= 1 << 24,
      "A rate limit remembers a bounded number of clients",
    );
    this.#increment = 2 ** interval;
    this.#tolerance = (burst - 1) * this.#increment;
    this.#leakMask = leak === undefined ? -1 : (1 << leak) - 1;
    const rows = 2 ** Math.ceil(Math.log2(Math.max(1, (2 * clients) / WAYS)));
    this.#rowMask = rows - 1;
    this.#keys = new Int32Array(2 * WAYS * rows);
    this.#fullAt = new Float64Array(WAYS * rows).fill(-Infinity);
    this.#hash = new KeyedHash(options.random);
    this.#random = options.random;
  }

  /** The memory that the table takes, in octets; it never changes. */
  get byteLength(): number {
    return this.#keys.byteLength + this.#fullAt.byteLength;
  }

  /**
   * Sets the boot time; once for a batch, because a number that is handed on for every request
   * would be boxed.
   */
  advance(now: MonotonicSeconds): void {
    this.#now = now;
  }

  /** Counts a request of a client and says whether it is within the limit. */
  check(client: Client): RateOutcome {
    const now = this.#now;
    const slot = this.#slot(clientHigh(client), clientLow(client));
    const fullAt = this.#fullAt[slot] ?? 0;
    const from = fullAt > now ? fullAt : now;
    if (from - now <= this.#tolerance) {
      this.#fullAt[slot] = from + this.#increment;
      return RATE_PASS;
    }
    return this.#leaks() ? RATE_LEAK : RATE_LIMITED;
  }

  /** Finds the client's slot in its row, or takes that of the fullest bucket for it. */
  #slot(high: number, low: number): number {
    const first = (this.#hash.hash(high, low) & this.#rowMask) * WAYS;
    const keys = this.#keys, fullAt = this.#fullAt;
    let fullest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (keys[2 * slot] === high && keys[2 * slot + 1] === low) return slot;
      if ((fullAt[slot] ?? 0) < (fullAt[fullest] ?? 0)) fullest = slot;
    }
    keys[2 * fullest] = high;
    keys[2 * fullest + 1] = low;
    fullAt[fullest] = -Infinity;
    return fullest;
  }

  #leaks(): boolean {
    if (this.#leakMask < 0) return false;
    if (this.#leakUsed === LEAK_POOL_LENGTH) {
      this.#random.fill(this.#leakPool);
      this.#leakUsed = 0;
    }
    return ((this.#leakPool[this.#leakUsed++] ?? 1) & this.#leakMask) === 0;
  }
}
