/**
 * How long to wait before the next key exchange (RFC 8915 section 4.2), so that a failing server is not hammered.
 *
 * The idea: every exchange that is started counts as one more try; only an authentic time answer under the new keys sets the
 * count back. So a loop of successful exchanges and refused requests is slowed down too (section 5.7). The wait gets a random
 * tenth on top, since the RFC's interval is a minimum and many clients may fail at once. Limits: the wait is at most five days
 * and a tenth.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { type RandomSource, uniform } from "../base/random.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";

const INTERVAL_MIN: Seconds = 10;
const INTERVAL_MAX: Seconds = 432_000;
const BASE = 1.5;
const JITTER = 0.1;

/** Returns the shortest wait before retry `n`, counted from 1: min(10 * 1.5^(n-1), 432000) seconds (RFC 8915 section 4.2). */
export function retryInterval(n: number): Seconds {
  assert(n >= 1, "Retries are counted from one");
  return Math.min(INTERVAL_MIN * BASE ** (n - 1), INTERVAL_MAX);
}

/** When the next key exchange with one server may start. */
export class KeyExchangeBackoff {
  #tries = 0;
  #notBefore: MonotonicSeconds | undefined;

  /** How many exchanges were started since the last success. */
  get tries(): number {
    return this.#tries;
  }

  /** The earliest time for the next exchange; undefined when it may start at once. */
  get notBefore(): MonotonicSeconds | undefined {
    return this.#notBefore;
  }

  /** Tells whether an exchange may start. */
  mayStart(now: MonotonicSeconds): boolean {
    return this.#notBefore === undefined || now >= this.#notBefore;
  }

  /** Counts an exchange that starts now. */
  started(now: MonotonicSeconds, random: RandomSource): void {
    this.#tries++;
    const wait = retryInterval(this.#tries) * (1 + JITTER * uniform(random));
    this.#notBefore = now + wait;
    assert(wait >= INTERVAL_MIN, "The wait is never shorter than ten seconds");
  }

  /** Sets the count back: an exchange succeeded and then a time request with its keys did too. */
  succeeded(): void {
    this.#tries = 0;
    this.#notBefore = undefined;
  }
}
