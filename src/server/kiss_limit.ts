/**
 * How many kisses are sent: few to each client, and few altogether, because a client either heeds
 * the first or heeds none, and because the address may be forged.
 *
 * @module
 */
import { Budget } from "../base/budget.ts";
import type { RandomSource } from "../base/random.ts";
import type { MonotonicSeconds } from "../base/units.ts";
import type { Client } from "./client.ts";
import { RATE_PASS, RateLimiter } from "./rate_limit.ts";

const CLIENTS = 4096;
const CLIENT_INTERVAL = 5;
const CLIENT_BURST = 2;
const PER_SECOND = 250;

/** Allows one kiss in 32 seconds to a client, after a burst of two, and 250 in a second to all. */
export class KissLimiter {
  readonly #clients: RateLimiter;
  readonly #all = new Budget(PER_SECOND);

  /** Draws the key of the table of clients. */
  constructor(random: RandomSource) {
    this.#clients = new RateLimiter({
      interval: CLIENT_INTERVAL,
      burst: CLIENT_BURST,
      leak: undefined,
      clients: CLIENTS,
      random,
    });
  }

  /** Says whether the client may have a kiss at the boot time `now`, and counts it if so. */
  allows(client: Client, now: MonotonicSeconds): boolean {
    if (!this.#all.isLeft(now)) return false;
    this.#clients.advance(now);
    if (this.#clients.check(client) !== RATE_PASS) return false;
    this.#all.take();
    return true;
  }
}
