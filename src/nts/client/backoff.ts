/**
 * How long to wait before the next key exchange (RFC 8915 section 4.2), so that a failing server is
 * not hammered.
 *
 * The idea: every exchange that is started counts as one more try; only an authentic time response
 * under the new keys sets the count back. So a loop of successful exchanges and refused requests is
 * slowed down too (section 5.7). The wait gets a random tenth on top, since the RFC's interval is a
 * minimum and many clients may fail at once. An exchange that failed on this side (no route, no
 * name) has asked no server anything: it does not count, and the next one is at most about a minute
 * away. Limits: the wait is at most five days and a tenth.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { type RandomSource, uniform } from "../../base/random.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";

const INTERVAL_MIN: Seconds = 10;
const INTERVAL_MAX: Seconds = 432_000;
const INTERVAL_MAX_LOCAL: Seconds = 60;
const RESTART_INTERVAL: Seconds = 60;
const BASE = 1.5;
const JITTER = 0.1;

/**
 * Returns the shortest wait before retry `n`, counted from 1: min(10 * 1.5^(n-1), 432000) seconds
 * (RFC 8915 section 4.2).
 */
export function retryInterval(n: number): Seconds {
  assert(n >= 1, "Retries are counted from one");
  return Math.min(INTERVAL_MIN * BASE ** (n - 1), INTERVAL_MAX);
}

/** When the next key exchange with one server may start. */
export class KeyExchangeBackoff {
  #tries: number;
  /** How many exchanges in a row have failed on this side. */
  #localFailures = 0;
  /** Whether the exchange that was started last may have reached a server. */
  #hasAsked = false;
  #startedAt: MonotonicSeconds = -Infinity;
  #restartedAt: MonotonicSeconds = -Infinity;
  #notBefore: MonotonicSeconds = -Infinity;
  #stretch = 1;

  /** Goes on from the count of another one, if so wanted. */
  constructor(tries = 0) {
    this.#tries = tries;
  }

  /** How many exchanges were started since the last success. */
  get tries(): number {
    return this.#tries;
  }

  /** The earliest time for the next exchange; minus infinity when it may start at once. */
  get notBefore(): MonotonicSeconds {
    return this.#notBefore;
  }

  /** Tells whether an exchange may start. */
  mayStart(now: MonotonicSeconds): boolean {
    return now >= this.#notBefore;
  }

  /** Counts an exchange that starts now. */
  started(now: MonotonicSeconds, random: RandomSource): void {
    this.#tries++;
    this.#hasAsked = true;
    this.#startedAt = now;
    this.#stretch = 1 + JITTER * uniform(random);
    this.#waitFor(retryInterval(this.#tries));
  }

  /**
   * Goes on from an exchange that another one counted, and that ended now; `tries` is its count.
   */
  continueFrom(tries: number, now: MonotonicSeconds): void {
    this.#tries = Math.max(this.#tries, tries, 1);
    this.#hasAsked = true;
    this.#startedAt = now;
    this.#waitFor(retryInterval(this.#tries));
  }

  /** The exchange that was started last asked no server: it is not counted. */
  failedLocally(): void {
    this.#tries = Math.max(0, this.#tries - 1);
    this.#localFailures++;
    this.#hasAsked = false;
    this.#waitFor(Math.min(INTERVAL_MAX_LOCAL, retryInterval(this.#localFailures)));
  }

  /** Sets the count back: an exchange succeeded and then a time request with its keys did too. */
  succeeded(): void {
    this.#tries = 0;
    this.#localFailures = 0;
    this.#notBefore = -Infinity;
  }

  /**
   * The network is another one: begins anew, with the shortest wait after an exchange that reached
   * a server, and not once more within a minute then.
   */
  restart(now: MonotonicSeconds): void {
    if (this.#hasAsked && now - this.#restartedAt < RESTART_INTERVAL) return;
    this.#restartedAt = now;
    this.#notBefore = this.#hasAsked ? this.#startedAt + INTERVAL_MIN : -Infinity;
    this.#tries = 0;
    this.#localFailures = 0;
  }

  #waitFor(interval: Seconds): void {
    assert(interval >= INTERVAL_MIN, "A wait is at least that of RFC 8915");
    this.#notBefore = this.#startedAt + interval * this.#stretch;
  }
}
