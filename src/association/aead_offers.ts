/**
 * Which algorithms a source offers in its key exchanges.
 *
 * The problem: some servers close the connection when they are offered an algorithm that they do
 * not know, and some agree on one in the exchange that their time servers do not answer. The idea:
 * all algorithms are offered first; when an exchange fails in a way that the offer may be the
 * reason of, or its keys bring no response, the next exchange offers one algorithm alone, in turn,
 * and what has worked stays. Limits: only the two that servers commonly know are offered alone; a
 * configured list is not widened.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { AEAD_ID } from "../crypto/aead.ts";
import { DEFAULT_CLIENT_AEAD_IDS } from "../nts/key_exchange/client.ts";

/** The algorithms that are offered alone. */
const ALONE: readonly number[] = [AEAD_ID.AES_SIV_CMAC_256, AEAD_ID.AES_128_GCM_SIV];

/**
 * Failures of an exchange behind which the offer may lie; the words are those under which they are
 * counted.
 */
const MAYBE_THE_OFFER: ReadonlySet<string> = new Set([
  "closed-early",
  "closed",
  "connection-lost",
  "peer-alert",
  "server-error-bad-request",
  "server-error-internal",
  "server-error-unknown-code",
  "no-aead-algorithm",
  "aead-algorithm-refused",
  "aead-algorithm-not-offered",
]);

/** The offers of one source. */
export class AeadOffers {
  readonly #offers: readonly (readonly number[])[];
  /** With which offer each association exchanged keys last. */
  readonly #made = new Map<number, number>();
  #current = 0;

  /** Takes the configured algorithms; an empty list means all. */
  constructor(configured: readonly number[]) {
    const all = configured.length === 0 ? DEFAULT_CLIENT_AEAD_IDS : configured;
    const alone = all.length === 1 ? [] : ALONE.filter((id) => all.some((other) => other === id));
    this.#offers = [configured, ...alone.map((id) => [id])];
  }

  /** How many associations are remembered. */
  get size(): number {
    return this.#made.size;
  }

  /** Gives the algorithms for an exchange that an association begins; empty means all. */
  begin(association: number): readonly number[] {
    this.#made.set(association, this.#current);
    return this.#offers[this.#current] ?? [];
  }

  /** An exchange has failed; `reason` is the word for it. */
  noteFailure(association: number, reason: string | undefined): void {
    if (reason !== undefined && MAYBE_THE_OFFER.has(reason)) this.#advance(association, undefined);
  }

  /** The keys of an association, for the algorithm with this number, brought no response. */
  noteSilence(association: number, aead: number | null | undefined): void {
    this.#advance(association, aead);
  }

  /** Forgets an association. */
  forget(association: number): void {
    this.#made.delete(association);
  }

  /** Goes on to the next offer, unless another association has done so already. */
  #advance(association: number, besides: number | null | undefined): void {
    if (this.#made.get(association) !== this.#current) return;
    this.#current = (this.#current + 1) % this.#offers.length;
    const offer = this.#offers[this.#current] ?? [];
    const isSame = offer.length === 1 && offer[0] === besides && this.#offers.length > 1;
    if (isSame) this.#current = (this.#current + 1) % this.#offers.length;
    assert(this.#current in this.#offers, "The current offer is one of them");
  }
}
