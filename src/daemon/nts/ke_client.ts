/**
 * The client's side of Network Time Security in the daemon: carries out the key exchanges that the
 * engine wants, keeps keys over a restart, and knows what certificates may be judged by.
 *
 * Exchanges run side by side and do not wait for one another; each ends by its own deadline and
 * comes back as an event. Limits: without OpenSSL every exchange fails with a sentence that says
 * what to install, and all else works.
 *
 * @module
 */
import { readKernelClock } from "../../../ffi/clock/timex.ts";
import { describeFault } from "../../base/describe_fault.ts";
import { err, type Result } from "../../base/result.ts";
import type { SourceConfig } from "../../config/config.ts";
import { type AeadFactory, isNtsAeadId } from "../../crypto/aead.ts";
import { portableAead } from "../../crypto/portable.ts";
import type { Action, Event, ExchangeKeysAction, KeysExchangedEvent } from "../../engine/events.ts";
import type { KeyExchangeOutcome } from "../../nts/key_exchange/outcome.ts";
import {
  type CertificateTime,
  isClockTrusted,
} from "../../engine/authenticated_time/clock_trust.ts";
import type { ResumedMember } from "../../engine/sources/saved_sessions.ts";
import type { Protections } from "../../engine/sources/source_set.ts";
import { SessionProtection } from "../../nts/client/session_protection.ts";
import { filesAnswer } from "../files/file_access.ts";
import { log } from "../../system/log.ts";
import { type ExchangeFailure, exchangeKeys } from "../../system/nts_ke_client.ts";
import type { TlsContextFailure, TlsContexts } from "./tls_contexts.ts";
import { RELEASE_TIME } from "./release_time.ts";
import type { SessionStore } from "./cookie_file.ts";
import { randomSource } from "../../system/random.ts";

/** Certificates that the engine wants to be verified again. */
export type VerifyAction = Extract<Action, { type: "verify-certificates" }>;

/** Packets of a client are few: no context of OpenSSL must be given back for them. */
const aead: AeadFactory = portableAead;

/** So many associations of one host are told from each other. */
const PLACES_MAX = 64;

/** An exchange has time, and a busy machine is not a file system that hangs. */
const FILE_PATIENCE_MILLISECONDS = 5000;

/** Exchanges keys for the engine. */
export class NtsKeClient {
  readonly #contexts: TlsContexts;
  readonly #store: SessionStore;
  readonly #ended = new AbortController();
  readonly #certificateTime: CertificateTime;
  /**
   * By how many addresses of a host all begin later, because time servers of earlier ones fell
   * silent.
   */
  readonly #shifts = new Map<string, number>();
  readonly #places = new Map<string, number[]>();
  #isMissingTold = false;
  #isFaultTold = false;

  /** Looks at the kernel's clock, so it is to be made before the clock is taken over. */
  constructor(contexts: TlsContexts, store: SessionStore) {
    this.#contexts = contexts;
    this.#store = store;
    const kernel = readKernelClock();
    const bound = store.readBound();
    this.#certificateTime = {
      clockIsTrusted: isClockTrusted({
        isKept: kernel.ok && kernel.value.synchronized && kernel.value.state !== "error",
        clock: Date.now() / 1000,
        lastVouched: bound,
      }),
      lowerBounds: bound === undefined ? [RELEASE_TIME] : [RELEASE_TIME, bound],
      kept: bound,
    };
  }

  /** What is known of the clock for judging certificates. */
  get certificateTime(): CertificateTime {
    return this.#certificateTime;
  }

  /** How the engine makes sessions. */
  get protections(): Protections {
    return {
      startSession: (outcome, start) =>
        SessionProtection.fromExchange(outcome, { aead, random: randomSource, ...start }),
      resume: (config) => this.#resume(config),
    };
  }

  /** Exchanges keys; resolves, whatever happens, to the event that tells the engine. */
  async exchange(action: ExchangeKeysAction): Promise<KeysExchangedEvent> {
    const about = { type: "keys-exchanged", association: action.association } as const;
    await Promise.resolve(); // the engine is told of an outcome after it has asked, never while
    try {
      const exchanged = await this.#exchange(action);
      if (exchanged.ok) return { ...about, result: exchanged };
      const { message, reason } = exchanged.error;
      const isLocal = "isLocal" in exchanged.error && exchanged.error.isLocal;
      return { ...about, result: { ok: false, error: message }, reason, isLocal };
    } catch (error) {
      const message = this.#tellFault("The key exchange", error);
      return { ...about, result: { ok: false, error: message }, reason: "internal-error" };
    }
  }

  async #exchange(
    action: ExchangeKeysAction,
  ): Promise<Result<KeyExchangeOutcome, ExchangeFailure | TlsContextFailure>> {
    const { host, port, certificateAuthority } = action;
    if (!await filesAnswer([certificateAuthority], { milliseconds: FILE_PATIENCE_MILLISECONDS })) {
      const message = `${certificateAuthority} does not respond`;
      return err({ reason: "certificate-authority-unusable", message });
    }
    const trust = this.#contexts.acquire(certificateAuthority);
    if (!trust.ok) {
      this.#tellMissing(trust.error.message);
      return trust;
    }
    const aeadIds = action.aeadAlgorithms.filter(isNtsAeadId);
    try {
      return await exchangeKeys({
        ...trust.value,
        host,
        port,
        certificateAuthority,
        addressesSkipped: this.#placeOf(action),
        dates: action.dates ?? { now: Date.now() / 1000, outside: "refuse" },
        ...(aeadIds.length === 0 ? {} : { aeadIds }),
        signal: this.#ended.signal,
      });
    } finally {
      this.#contexts.release();
    }
  }

  /** Verifies chains at the time that the engine has found. */
  verify(action: VerifyAction): Event {
    const results = action.certificates.map(({ association, certificate }) => ({
      association,
      reason: this.#verify(certificate, action.at),
    }));
    return { type: "certificates-verified", results };
  }

  /** Verifies one chain; returns why it is refused, or undefined. */
  #verify(
    { certificateAuthority, chain, host }: VerifyAction["certificates"][number]["certificate"],
    at: number,
  ): string | undefined {
    const trust = this.#contexts.acquire(certificateAuthority);
    if (!trust.ok) return trust.error.message;
    try {
      const verified = trust.value.context.verifyChain(chain, { host, time: at });
      return verified.ok ? undefined : verified.error.message;
    } catch (error) {
      return this.#tellFault("The verification of a certificate", error);
    } finally {
      this.#contexts.release();
    }
  }

  /** Gives up the exchanges that are under way. */
  abort(): void {
    this.#ended.abort();
  }

  #resume(config: SourceConfig): readonly ResumedMember[] {
    return this.#store.take(config).map(({ address, state }) => ({
      address,
      protection: SessionProtection.resume(state, { aead, random: randomSource }),
    }));
  }

  /**
   * Counts the associations that exchange keys with one host, so that each begins with another
   * address.
   */
  #placeOf({ association, host, port, isSilent }: ExchangeKeysAction): number {
    const name = `${host} ${port}`;
    if (isSilent === true) this.#shifts.set(name, (this.#shifts.get(name) ?? 0) + 1);
    const known = this.#places.get(name) ?? [];
    this.#places.set(name, known);
    if (!known.includes(association)) known.push(association);
    if (known.length > PLACES_MAX) known.shift();
    return known.indexOf(association) + (this.#shifts.get(name) ?? 0);
  }

  #tellFault(what: string, error: unknown): string {
    const message = `${what} failed with an internal error, ${describeFault(error)}`;
    if (!this.#isFaultTold) log.error(message);
    this.#isFaultTold = true;
    return message;
  }

  #tellMissing(message: string): void {
    if (this.#isMissingTold) return;
    this.#isMissingTold = true;
    log.error(`Sources with Network Time Security cannot get keys: ${message}`);
  }
}
