/**
 * Nonces: proof that a client receives at the address from which it asks, before it gets the list
 * of recent clients (RFC 9327 section 4).
 *
 * A nonce is the time of its making and a keyed digest of that and the address; it is good for some
 * seconds and needs no memory.
 *
 * @module
 */
import { concatBytes, equalConstantTime, fromHex, toHex } from "../../base/bytes.ts";
import { randomBytes, type RandomSource } from "../../base/random.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import { digest } from "../../crypto/digest.ts";

/** So long a nonce is good. */
const LIFETIME: Seconds = 16;
const KEY_LENGTH = 32;
const TIME_LENGTH = 4;
const DIGEST_LENGTH = 8;

/** Makes and checks nonces. */
export class Nonces {
  readonly #key: Uint8Array<ArrayBuffer>;

  /** Draws a key. */
  constructor(random: RandomSource) {
    this.#key = randomBytes(random, KEY_LENGTH);
  }

  /** Makes a nonce for an address with its port. */
  make(client: string, now: MonotonicSeconds): string {
    return this.#nonce(client, Math.floor(now));
  }

  /** Whether a nonce was made for this address a short while ago. */
  isGood(nonce: string, { client, now }: {
    readonly client: string;
    readonly now: MonotonicSeconds;
  }): boolean {
    const bytes = fromHex(nonce);
    if (bytes?.length !== TIME_LENGTH + DIGEST_LENGTH) return false;
    const made = new DataView(bytes.buffer).getUint32(0);
    const age = Math.floor(now) - made;
    if (age < 0 || age > LIFETIME) return false;
    const wanted = fromHex(this.#nonce(client, made));
    return wanted !== undefined && equalConstantTime(bytes, wanted);
  }

  #nonce(client: string, made: number): string {
    const time = new Uint8Array(TIME_LENGTH);
    new DataView(time.buffer).setUint32(0, made);
    const text = new TextEncoder().encode(client);
    const hash = digest("SHA256", concatBytes(this.#key, time, text, this.#key));
    return toHex(concatBytes(time, hash.subarray(0, DIGEST_LENGTH)));
  }
}
