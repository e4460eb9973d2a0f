/**
 * The client's store of cookies. A cookie that is sent twice lets an observer link the client's
 * addresses, so none ever is (RFC 8915 sections 5.7 and 9.1).
 *
 * The idea: a short queue; what is taken is gone, unless it has not left the machine. A server that
 * hands out a cookie again does not get it back: what is in the jar, and the last cookies that were
 * taken, are not taken in again. Limits: eight cookies; the memory of sent ones is 64, so a hostile
 * server that waits longer than that could link us, which it can do anyway.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { type Bytes, toHex } from "../../base/bytes.ts";
import { COOKIE_JAR_SIZE, isUsableCookie } from "../key_exchange/cookies.ts";

/** How many cookies that were taken are remembered. */
const REMEMBERED = 64;

/** At most eight unused cookies, each given out once. */
export class CookieJar {
  #cookies: Bytes[] = [];
  readonly #sent: string[] = [];
  #last: Bytes | undefined = undefined;

  /** How many unused cookies there are. */
  get size(): number {
    return this.#cookies.length;
  }

  /**
   * Adds a copy of a cookie; when the jar is full the oldest goes. Returns false for one that is
   * unusable or known.
   */
  add(cookie: Bytes): boolean {
    if (!isUsableCookie(cookie)) return false;
    const text = toHex(cookie);
    if (this.#sent.includes(text)) return false;
    if (this.#cookies.some((other) => toHex(other) === text)) return false;
    if (this.#cookies.length === COOKIE_JAR_SIZE) this.#cookies.shift();
    this.#cookies.push(cookie.slice());
    assert(this.#cookies.length <= COOKIE_JAR_SIZE, "A jar holds at most eight cookies");
    return true;
  }

  /** Takes the oldest cookie out for good; undefined when there is none. */
  take(): Bytes | undefined {
    const cookie = this.#cookies.shift();
    if (cookie === undefined) return undefined;
    this.#last = cookie;
    this.#remember(cookie);
    return cookie;
  }

  /**
   * Puts the cookie that was taken last back, as the next to be taken; nothing when others filled
   * or cleared the jar since.
   */
  putBack(): void {
    const cookie = this.#last;
    this.#last = undefined;
    if (cookie === undefined || this.#cookies.length === COOKIE_JAR_SIZE) return;
    const at = this.#sent.lastIndexOf(toHex(cookie));
    if (at >= 0) this.#sent.splice(at, 1);
    this.#cookies.unshift(cookie);
    assert(this.#cookies.length <= COOKIE_JAR_SIZE, "A jar holds at most eight cookies");
  }

  /**
   * Takes the newest cookies out for good, for a use other than requests of this run; oldest first.
   */
  takeNewest(count: number): readonly Bytes[] {
    const taken = this.#cookies.splice(Math.max(0, this.#cookies.length - count));
    for (const cookie of taken) this.#remember(cookie);
    return taken;
  }

  /**
   * Returns how many placeholders bring the jar back to eight when the response to the request that
   * is being built arrives: call it after `take` (RFC 8915 section 5.7).
   */
  placeholdersWanted(): number {
    return Math.max(0, COOKIE_JAR_SIZE - 1 - this.#cookies.length);
  }

  /** Throws away all cookies, as after a new key exchange. */
  clear(): void {
    this.#cookies = [];
    this.#last = undefined;
  }

  /** Returns copies of the unused cookies, oldest first. */
  contents(): readonly Bytes[] {
    return this.#cookies.map((cookie) => cookie.slice());
  }

  #remember(cookie: Bytes): void {
    assert(!this.#cookies.includes(cookie), "A cookie that is sent has left the jar");
    this.#sent.push(toHex(cookie));
    if (this.#sent.length > REMEMBERED) this.#sent.shift();
  }
}
