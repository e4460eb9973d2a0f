/**
 * How an association's packets are authenticated: the place where Network Time Security and
 * symmetric keys plug in.
 *
 * The idea: the association makes headers and tests responses, and does not know how they are
 * protected. Without a protection packets are plain; with one, a response that is not authentic
 * never counts, whatever it says (RFC 8915 section 8.7).
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import type { Result } from "../base/result.ts";
import type { ProtectedRequest } from "../nts/client/request_fields.ts";
import type { SessionState } from "../nts/client/session.ts";
import type { ProtectionStatus } from "../nts/client/session_protection.ts";
import type {
  ExchangeCertificate,
  KeyExchangeOutcome,
  TimeServer,
} from "../nts/key_exchange/outcome.ts";
import type { MonotonicSeconds } from "../base/units.ts";

/** How a session begins. */
export interface SessionStart {
  /** When its keys were exchanged. */
  readonly now: MonotonicSeconds;
  /**
   * How many key exchanges, its own among them, have had no authentic response of the time server.
   * It is counted on from there, so that a silent time server is asked for keys ever more rarely
   * (RFC 8915 section 4.2).
   */
  readonly tries: number;
}

/** Protects requests and verifies responses. */
export interface PacketProtection {
  /** The word for it in status. */
  readonly authentication: "nts" | "mac";
  /**
   * Adds authentication to the 48 octets of a request; fails with a word when it cannot (no cookies
   * left).
   */
  protect(header: Bytes, random: RandomSource): Result<ProtectedRequest, string>;
  /**
   * Tells whether a response is authentic and belongs to the request; fails with a word that says
   * why not.
   */
  verify(packet: Uint8Array, uniqueIdentifier: Bytes): Result<unknown, string>;
  /**
   * Tells whether a key exchange is to be started now; one that was begun counts as running until
   * its outcome is told. Asked before every request. `isUnheard`: the server has never answered
   * under the keys that there are.
   */
  beginKeyExchange?(now: MonotonicSeconds, isUnheard: boolean): boolean;
  /**
   * What the server tells does not fit the certificate on which its keys rest: others are wanted,
   * now and then.
   */
  renewKeys?(now: MonotonicSeconds): void;
  /** Takes the outcome of a key exchange that was begun. */
  endKeyExchange?(
    result: Result<KeyExchangeOutcome, string>,
    context: { readonly now: MonotonicSeconds; readonly isLocal?: boolean | undefined },
  ): void;
  /** How many key exchanges were started since the last authentic response. */
  readonly exchangeTries?: number;
  /**
   * When a key exchange may start without which there can be no request; undefined when there can,
   * or one is under way.
   */
  readonly nextKeyExchangeAt?: MonotonicSeconds | undefined;
  /** The network is another one: key exchanges begin anew with short waits. */
  restartBackoff?(now: MonotonicSeconds): void;
  /** The newest request has not left this machine: what was used up for it is good again. */
  takeBack?(): void;
  /** What status shows of keys and cookies; there with Network Time Security. */
  readonly status?: ProtectionStatus;
  /** The server that a later key exchange named instead of the first; undefined when it did not. */
  readonly movedTo?: TimeServer | undefined;
  /**
   * Whether the certificate was accepted although its dates do not fit the clock, and was not
   * confirmed since.
   */
  readonly isProvisional?: boolean;
  /** What the keys rest on; undefined when they were saved by an earlier run. */
  readonly certificate?: ExchangeCertificate | undefined;
  /**
   * What tells the public key behind the keys from others, those of an earlier run too; undefined
   * where that is not known.
   */
  readonly keyIdentity?: string | undefined;
  /** The certificate was verified again at a time that is believed. */
  confirmCertificate?(): void;
  /** Returns what a restart should not lose. */
  export?(): SessionState | undefined;
  /** Returns keys and cookies that this run does not use any more, for the run after a crash. */
  setAside?(): SessionState | undefined;
}
