/**
 * The state of one association under Network Time Security: keys, cookies, and what a NAK means
 * (RFC 8915 section 5.7).
 *
 * The idea: the association asks `needsKeyExchange` whenever it is about to poll, then protects its
 * request, and shows every response to `verify`. A NAK is believed only at the next poll, when no
 * authentic response has come meanwhile, since anyone on the path can send one; until a new key
 * exchange succeeds the old keys and cookies stay in use. There is no way back to plain NTP:
 * without keys or cookies nothing is sent.
 *
 * When it is open which of two key pairs an AES-128-GCM-SIV server uses (see
 * `src/nts/key_exchange/exporter.ts`), the first NAK makes us try the other pair, once, before a
 * new key exchange.
 *
 * @module
 */
import { assert, present, unreachable } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { RandomSource } from "../../base/random.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { type Aead, type AeadFactory, aeadParameters, type NtsAeadId } from "../../crypto/aead.ts";
import { CookieJar } from "./cookie_jar.ts";
import type { SessionKeys } from "../key_exchange/exporter.ts";
import type { SessionSecrets } from "../key_exchange/outcome.ts";
import { buildRequest, type ProtectedRequest } from "./request_fields.ts";
import { type NtsReason, type NtsResponse, verifyResponse } from "./response_fields.ts";

/** All that a key exchange gives and that a restart should not lose; secret. */
export interface SessionState extends SessionSecrets {
  /** Whether the server has answered authentically under these keys. */
  readonly authenticBefore: boolean;
  /**
   * What tells the public key of the server that gave the keys from others; left out where that is
   * not known.
   */
  readonly keyIdentity?: string;
}

/** Requests must go on while some cookies are set aside. */
const COOKIES_LEFT_MIN = 2;

/** Why a key exchange is wanted before the next request. */
export type KeyExchangeNeed = "no-keys" | "no-cookies" | "refused";

/** Keys and cookies of one association. */
export class NtsClientSession {
  readonly #factory: AeadFactory;
  readonly #jar = new CookieJar();
  #state: SessionState | undefined;
  #requests: Aead | undefined;
  #responses: Aead | undefined;
  #refused = false;
  #authenticBefore = false;

  /**
   * Starts without keys, or with those of an earlier run; the factory has the algorithms that were
   * offered.
   */
  constructor(options: { readonly aead: AeadFactory; readonly restored?: SessionState }) {
    this.#factory = options.aead;
    if (options.restored !== undefined) this.install(options.restored);
  }

  /** The algorithm in use; undefined before the first key exchange. */
  get aeadId(): NtsAeadId | undefined {
    return this.#state?.aeadId;
  }

  /** How many unused cookies there are. */
  get cookieCount(): number {
    return this.#jar.size;
  }

  /**
   * Takes over the outcome of a key exchange; all old cookies and keys are thrown away (RFC 8915
   * section 5.7).
   */
  install(state: SessionState): void {
    const { keyLength } = aeadParameters(state.aeadId);
    for (const keys of [state.keys, state.alternativeKeys]) {
      assert(
        keys === undefined ||
          keys.clientToServer.length === keyLength && keys.serverToClient.length === keyLength,
        "Session keys have the length of their algorithm",
      );
    }
    this.#state = state;
    this.#useKeys(state.aeadId, state.keys);
    this.#jar.clear();
    for (const cookie of state.cookies) this.#jar.add(cookie);
    this.#refused = false;
    this.#authenticBefore = state.authenticBefore;
  }

  /**
   * Tells whether, and why, a key exchange should be started now; asked when a poll is due, before
   * `protect`.
   */
  needsKeyExchange(): KeyExchangeNeed | undefined {
    if (this.#state === undefined) return "no-keys";
    if (this.#jar.size === 0) return "no-cookies";
    return this.#refused ? "refused" : undefined;
  }

  /** Makes a protected request from a header of 48 octets, with a cookie that is used up by it. */
  protect(
    header: Bytes,
    random: RandomSource,
  ): Result<ProtectedRequest, "nts-no-keys" | "nts-no-cookies"> {
    if (this.#state === undefined) return err("nts-no-keys");
    const cookie = this.#jar.take();
    if (cookie === undefined) return err("nts-no-cookies");
    const aead = present(this.#requests, "A session with keys has its algorithms");
    const placeholders = this.#jar.placeholdersWanted();
    return ok(buildRequest({ header, cookie, placeholders, aead }, random));
  }

  /**
   * Puts the cookie of the newest request back, because it was not sent; to be called once for a
   * request.
   */
  takeBack(): void {
    this.#jar.putBack();
  }

  /**
   * Verifies the response to the request with this unique identifier, and takes the cookies of an
   * authentic one. The caller has checked mode, version and origin, and shows no second response to
   * a request that has had an authentic one.
   */
  verify(packet: Bytes, uniqueIdentifier: Bytes): Result<NtsResponse, NtsReason> {
    if (this.#responses === undefined) return err("nts-not-authentic");
    const verified = verifyResponse(packet, {
      uniqueIdentifier,
      aead: this.#responses,
      authenticBefore: this.#authenticBefore,
    });
    if (!verified.ok) return verified;
    switch (verified.value.kind) {
      case "authentic":
        for (const cookie of verified.value.cookies) this.#jar.add(cookie);
        this.#refused = false;
        this.#authenticBefore = true;
        break;
      case "nak":
        this.#noteNak();
        break;
      case "kiss":
        break; // the association's affair
      default:
        unreachable(verified.value);
    }
    return verified;
  }

  /** Returns what a restart should not lose; undefined when there is nothing worth keeping. */
  export(): SessionState | undefined {
    return this.#jar.size === 0 ? undefined : this.#stateWith(this.#jar.contents());
  }

  /**
   * Takes so many cookies out of use for good, and returns them with the keys; undefined when too
   * few would be left, or the server has not yet answered under these keys.
   */
  setAside(count: number): SessionState | undefined {
    const isEnough = this.#authenticBefore && this.#jar.size >= count + COOKIES_LEFT_MIN;
    return isEnough ? this.#stateWith(this.#jar.takeNewest(count)) : undefined;
  }

  #stateWith(cookies: readonly Bytes[]): SessionState | undefined {
    if (this.#state === undefined) return undefined;
    return {
      ...this.#state,
      cookies,
      authenticBefore: this.#authenticBefore,
      // After an authentic response it is no longer open which keys the server uses.
      alternativeKeys: this.#authenticBefore ? undefined : this.#state.alternativeKeys,
    };
  }

  /** Forgets everything; the session may be used again after `install`. */
  close(): void {
    this.#requests?.close();
    this.#responses?.close();
    this.#requests = undefined;
    this.#responses = undefined;
    this.#state = undefined;
    this.#jar.clear();
    this.#refused = false;
    this.#authenticBefore = false;
  }

  #noteNak(): void {
    const state = present(this.#state, "Only a session with keys is refused");
    const other = state.alternativeKeys;
    if (other === undefined || this.#authenticBefore) {
      this.#refused = true;
      return;
    }
    this.#state = { ...state, keys: other, alternativeKeys: undefined };
    this.#useKeys(state.aeadId, other);
  }

  #useKeys(aeadId: NtsAeadId, keys: SessionKeys): void {
    this.#requests?.close();
    this.#responses?.close();
    const missing = "The algorithm of a session is one that was offered";
    this.#requests = present(this.#factory(aeadId, keys.clientToServer), missing);
    this.#responses = present(this.#factory(aeadId, keys.serverToClient), missing);
  }
}
