/**
 * Network Time Security in the shape in which an association wants its protection: protect this
 * header, verify this response, is it time for a key exchange.
 *
 * The idea: a session (keys and cookies) together with the backoff of its key exchanges and the
 * counts for status. At most one exchange is under way; a session that was just made counts as one
 * exchange, so that a server whose keys work for the exchange but not for time is not asked again
 * at once (RFC 8915 section 4.2).
 *
 * Limits: the address that is asked stays the same for the life of the association; when an
 * exchange names another time server, `movedTo` says so, and the source should be started anew.
 *
 * @module
 */
import { assert, unreachable } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { RandomSource } from "../../base/random.ts";
import { ReasonCounter } from "../../base/reason_counter.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { AeadFactory } from "../../crypto/aead.ts";
import { KeyExchangeBackoff } from "./backoff.ts";
import { NtsClientSession, type SessionState } from "./session.ts";
import type {
  ExchangeCertificate,
  KeyExchangeOutcome,
  TimeServer,
} from "../key_exchange/outcome.ts";
import type { ProtectedRequest } from "./request_fields.ts";
import type { NtsReason } from "./response_fields.ts";

/** Why a response does not count. */
export type ProtectionReason = NtsReason | "nts-nak" | "nts-unprotected-kiss";

/** What status shows of a session. */
export interface ProtectionStatus {
  /** Unused cookies. */
  readonly cookies: number;
  /** The number of the algorithm. */
  readonly aead: number | null;
  /** When the last successful key exchange ended; undefined when the keys are of an earlier run. */
  readonly lastKeyExchange: MonotonicSeconds | undefined;
  /** Whether the certificate was accepted provisionally. */
  readonly provisional: boolean;
  /** Key exchanges that failed, by sentence of at most 32 different ones. */
  readonly failures: Readonly<Record<string, number>>;
  /** Responses that did not count, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

const FAILURE_KINDS_MAX = 32;

/** Keys are renewed for the sake of their certificate at most so often. */
const RENEWAL_INTERVAL: Seconds = 3600;

/** So many cookies of eight are kept for the run after a crash: enough for a few lost requests. */
const COOKIES_SET_ASIDE = 4;

/** Protects one association with Network Time Security. */
export class SessionProtection {
  /** Says in status how packets are protected. */
  readonly authentication = "nts";

  readonly #session: NtsClientSession;
  readonly #backoff: KeyExchangeBackoff;
  readonly #random: RandomSource;
  readonly #failures = new ReasonCounter<string>();
  readonly #dropped = new ReasonCounter<ProtectionReason>();
  #exchanging = false;
  #isRenewalWanted = false;
  #renewalNotBefore: MonotonicSeconds = -Infinity;
  /** What lies on disk for the run after a crash. */
  #aside: SessionState | undefined;
  #provisional = false;
  #certificate: ExchangeCertificate | undefined;
  /** What was saved of it with the keys of an earlier run. */
  readonly #savedIdentity: string | undefined;
  #lastKeyExchange: MonotonicSeconds | undefined;
  #target: string;
  #movedTo: TimeServer | undefined;

  private constructor(
    state: SessionState,
    options: { readonly aead: AeadFactory; readonly random: RandomSource; readonly tries?: number },
  ) {
    this.#backoff = new KeyExchangeBackoff(options.tries);
    this.#session = new NtsClientSession({ aead: options.aead, restored: state });
    this.#random = options.random;
    this.#target = targetOf(state);
    this.#savedIdentity = state.keyIdentity;
  }

  /** Starts with the outcome of a key exchange that ended now. */
  static fromExchange(
    outcome: KeyExchangeOutcome,
    options: {
      readonly aead: AeadFactory;
      readonly random: RandomSource;
      readonly now: MonotonicSeconds;
      /**
       * How many exchanges, this one among them, had no authentic response of the time server yet;
       * 1 if left out.
       */
      readonly tries?: number;
    },
  ): SessionProtection {
    const tries = Math.max(0, (options.tries ?? 1) - 1);
    const protection = new SessionProtection(stateOf(outcome), { ...options, tries });
    protection.#backoff.started(options.now, options.random);
    protection.#lastKeyExchange = options.now;
    protection.#provisional = outcome.provisional !== undefined;
    protection.#certificate = outcome.certificate;
    return protection;
  }

  /** Goes on with what an earlier run saved. */
  static resume(
    state: SessionState,
    options: { readonly aead: AeadFactory; readonly random: RandomSource },
  ): SessionProtection {
    return new SessionProtection(state, options);
  }

  /** What status shows. */
  get status(): ProtectionStatus {
    return {
      cookies: this.#session.cookieCount,
      aead: this.#session.aeadId ?? null,
      lastKeyExchange: this.#lastKeyExchange,
      provisional: this.#provisional,
      failures: this.#failures.snapshot(),
      dropped: this.#dropped.snapshot(),
    };
  }

  /**
   * The time server that a later key exchange named instead of the first; undefined when it did
   * not.
   */
  get movedTo(): TimeServer | undefined {
    return this.#movedTo;
  }

  /** Whether the certificate was accepted provisionally, and was not confirmed since. */
  get isProvisional(): boolean {
    return this.#provisional;
  }

  /** What the keys rest on; undefined when they were saved by an earlier run. */
  get certificate(): ExchangeCertificate | undefined {
    return this.#certificate;
  }

  /** What tells the public key behind the keys from others; it is saved with them. */
  get keyIdentity(): string | undefined {
    return this.#certificate?.identity ?? this.#savedIdentity;
  }

  /** Adds the fields of a request to its header; fails when there are no cookies left. */
  protect(
    header: Bytes,
    random: RandomSource,
  ): Result<ProtectedRequest, "nts-no-keys" | "nts-no-cookies"> {
    return this.#session.protect(header, random);
  }

  /**
   * Tells whether a response is authentic. A NAK and other kisses without protection are failures
   * here too, so that nothing in them is believed; the session draws its conclusions from a NAK.
   */
  verify(
    packet: Uint8Array,
    uniqueIdentifier: Bytes,
  ): Result<{ readonly authenticLength: number }, ProtectionReason> {
    const verified = this.#session.verify(new Uint8Array(packet), uniqueIdentifier);
    if (!verified.ok) return this.#drop(verified.error);
    switch (verified.value.kind) {
      case "authentic":
        this.#backoff.succeeded();
        return ok({ authenticLength: verified.value.authenticLength });
      case "nak":
        return this.#drop("nts-nak");
      case "kiss":
        return this.#drop("nts-unprotected-kiss");
      default:
        return unreachable(verified.value);
    }
  }

  /**
   * Tells whether a key exchange is to be started now; true counts it as under way. Asked before
   * every request. `isUnheard`: the server has never answered under the keys that there are, so
   * that others may be better.
   */
  beginKeyExchange(now: MonotonicSeconds, isUnheard = false): boolean {
    const isWanted = isUnheard || this.#isRenewalWanted ||
      this.#session.needsKeyExchange() !== undefined;
    if (this.#exchanging || !isWanted) return false;
    if (!this.#backoff.mayStart(now)) return false;
    this.#backoff.started(now, this.#random);
    this.#exchanging = true;
    this.#isRenewalWanted = false;
    return true;
  }

  /**
   * What the server tells does not fit the certificate on which its keys rest: the next ones are
   * exchanged, once an hour at most.
   */
  renewKeys(now: MonotonicSeconds): void {
    if (now < this.#renewalNotBefore) return;
    this.#renewalNotBefore = now + RENEWAL_INTERVAL;
    this.#isRenewalWanted = true;
  }

  /** Takes the outcome of the exchange that was begun; old keys and cookies stay when it failed. */
  endKeyExchange(
    result: Result<KeyExchangeOutcome, string>,
    context: { readonly now: MonotonicSeconds; readonly isLocal?: boolean | undefined },
  ): void {
    assert(this.#exchanging, "A key exchange that ends was begun");
    this.#exchanging = false;
    if (!result.ok) {
      if (context.isLocal === true) this.#backoff.failedLocally();
      return this.#countFailure(result.error);
    }
    const state = stateOf(result.value);
    this.#session.install(state);
    this.#aside = undefined;
    this.#lastKeyExchange = context.now;
    this.#provisional = result.value.provisional !== undefined;
    this.#certificate = result.value.certificate;
    const target = targetOf(state);
    if (target !== this.#target) {
      this.#movedTo = { ntpServer: state.ntpServer, ntpPort: state.ntpPort };
      this.#target = target;
    }
  }

  /** How many exchanges were started since the last authentic response. */
  get exchangeTries(): number {
    return this.#backoff.tries;
  }

  /**
   * When an exchange that is needed before the next request may start; undefined when none is
   * needed or one is under way.
   */
  get nextKeyExchangeAt(): MonotonicSeconds | undefined {
    const need = this.#session.needsKeyExchange();
    const isWanted = !this.#exchanging && (need === "no-keys" || need === "no-cookies");
    return isWanted ? this.#backoff.notBefore : undefined;
  }

  /** The network is another one: key exchanges begin anew with short waits. */
  restartBackoff(now: MonotonicSeconds): void {
    this.#backoff.restart(now);
  }

  /** Takes back the cookie of the newest request, which has not left this machine. */
  takeBack(): void {
    this.#session.takeBack();
  }

  /** The certificate was verified again at a time that is believed. */
  confirmCertificate(): void {
    this.#provisional = false;
  }

  /** Returns what a restart should not lose; nothing while the certificate is provisional. */
  export(): SessionState | undefined {
    return this.#provisional ? undefined : this.#session.export() ?? this.#aside;
  }

  /**
   * Takes some cookies out of use for good and returns them with the keys, for a file that is read
   * after a crash; those of before, when there are too few. A cookie in that file is never sent by
   * this run, so it can be sent by the next one, whatever happens.
   */
  setAside(): SessionState | undefined {
    if (this.#provisional) return undefined;
    this.#aside = this.#session.setAside(COOKIES_SET_ASIDE) ?? this.#aside;
    return this.#aside;
  }

  /** Forgets the keys; the object is not used afterwards. */
  close(): void {
    this.#session.close();
  }

  #drop(reason: ProtectionReason): { readonly ok: false; readonly error: ProtectionReason } {
    this.#dropped.add(reason);
    return err(reason);
  }

  #countFailure(sentence: string): void {
    const counts = this.#failures.snapshot();
    const isKnown = Object.hasOwn(counts, sentence);
    const isFull = Object.keys(counts).length >= FAILURE_KINDS_MAX;
    this.#failures.add(isKnown || !isFull ? sentence : "other");
  }
}

function stateOf(outcome: KeyExchangeOutcome): SessionState {
  const { aeadId, keys, alternativeKeys, cookies, ntpServer, ntpPort, certificate } = outcome;
  return {
    aeadId,
    keys,
    alternativeKeys,
    cookies,
    ntpServer,
    ntpPort,
    authenticBefore: false,
    keyIdentity: certificate.identity,
  };
}

function targetOf(state: SessionState): string {
  return `${state.ntpServer ?? ""} ${state.ntpPort}`;
}
