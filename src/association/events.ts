/**
 * Association events and actions: what a source is told, and what it wants done.
 *
 * The idea: these are members of the engine's own unions (see `src/engine/events.ts`), so an event
 * reaches the source that it concerns, and an action leaves it, without being translated.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { NtpTimestamp } from "../base/ntp_timestamp.ts";
import type { Result } from "../base/result.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { CertificateDatePolicy } from "../nts/key_exchange/date_policy.ts";
import type { KeyExchangeOutcome } from "../nts/key_exchange/outcome.ts";
import type { Timestamping } from "./measurement.ts";

/**
 * Identifies a configured source or a member of a pool for the life of the engine; never used
 * again.
 */
export type AssociationId = number;

/** Identifies one request, and so the socket it was sent from; never used again. */
export type RequestId = number;

/** Identifies one lookup of a name; never used again. */
export type LookupId = number;

/** A packet arrived on the socket of a request. */
export interface DatagramEvent {
  /** Tells events apart. */
  readonly type: "datagram";
  /** The association whose request it was. */
  readonly association: AssociationId;
  /** The request on whose socket it arrived. */
  readonly request: RequestId;
  /** The payload as it came, unchecked; not kept. */
  readonly packet: Uint8Array;
  /**
   * When the request left, by the local clock: the kernel's timestamp when there is one, else read
   * before sending.
   */
  readonly transmitTimestamp: NtpTimestamp;
  /** How `transmitTimestamp` was taken. */
  readonly transmitTimestamping: Timestamping;
  /** When this packet arrived, by the local clock. */
  readonly receiveTimestamp: NtpTimestamp;
  /** How `receiveTimestamp` was taken. */
  readonly receiveTimestamping: Timestamping;
}

/** A request could not be sent, or the network reported that it could not be delivered. */
export interface SendFailedEvent {
  /** Tells events apart. */
  readonly type: "send-failed";
  /** The association whose request it was. */
  readonly association: AssociationId;
  /** The request that failed. */
  readonly request: RequestId;
  /** A sentence without a full stop. */
  readonly reason: string;
  /** Whether the request has not left this machine. */
  readonly isLocal?: boolean | undefined;
}

/** A lookup ended. */
export interface ResolvedEvent {
  /** Tells events apart. */
  readonly type: "resolved";
  /** The number that the `resolve` action gave it. */
  readonly lookup: LookupId;
  /** Numeric addresses in the order of the resolver, or a sentence that says why there are none. */
  readonly result: Result<readonly string[], string>;
}

/** A key exchange ended. */
export interface KeysExchangedEvent {
  /** Tells events apart. */
  readonly type: "keys-exchanged";
  /** The association for which keys were exchanged. */
  readonly association: AssociationId;
  /** Keys and cookies, or a sentence that says why there are none. */
  readonly result: Result<KeyExchangeOutcome, string>;
  /** The word under which a failure is counted; the sentence itself when left out. */
  readonly reason?: string | undefined;
  /** Whether no server was reached, because there was no name or no way to it. */
  readonly isLocal?: boolean | undefined;
}

/** Sends a request from a new socket with a random port (RFC 9109 section 3). */
export interface SendAction {
  /** Tells actions apart. */
  readonly type: "send";
  /** The association whose request it is; the response is handed in with it. */
  readonly association: AssociationId;
  /** Names the new socket until a `close` action. */
  readonly request: RequestId;
  /** The only address whose datagrams are wanted. */
  readonly destination: SocketAddress;
  /** The payload; the receiver of the action may keep it. */
  readonly packet: Bytes;
}

/** Closes the socket of a request: the response came or is no longer awaited. */
export interface CloseAction {
  /** Tells actions apart. */
  readonly type: "close";
  /** The request whose socket is closed. */
  readonly request: RequestId;
}

/** Looks a name up; ends with a `resolved` event. */
export interface ResolveAction {
  /** Tells actions apart. */
  readonly type: "resolve";
  /** The number that the event will carry. */
  readonly lookup: LookupId;
  /** The name. */
  readonly host: string;
}

/** Starts a key exchange for Network Time Security; ends with a `keys-exchanged` event. */
export interface ExchangeKeysAction {
  /** Tells actions apart. */
  readonly type: "exchange-keys";
  /** The association for which keys are exchanged. */
  readonly association: AssociationId;
  /** The host of the key exchange. */
  readonly host: string;
  /** The TCP port of the key exchange. */
  readonly port: number;
  /** A file of certificates to trust instead of the system's. */
  readonly certificateAuthority: string | undefined;
  /** Algorithm numbers in order of preference; empty means the default order. */
  readonly aeadAlgorithms: readonly number[];
  /**
   * Whether the time server of the last exchange has fallen silent, so that another address of the
   * host is tried first.
   */
  readonly isSilent?: boolean;
  /** How the dates of certificates are judged; the engine adds it to every exchange. */
  readonly dates?: CertificateDatePolicy;
}

/** Tells the administrator something. */
export interface LogAction {
  /** Tells actions apart. */
  readonly type: "log";
  /** How much it matters. */
  readonly level: "debug" | "info" | "warning" | "error";
  /** A sentence without a full stop. */
  readonly message: string;
  /**
   * The source that it tells of, as its address is written in the configuration; left out where it
   * tells of no single one.
   */
  readonly source?: string;
}

/** Something to be done for one association. */
export type AssociationAction = SendAction | CloseAction | ExchangeKeysAction | LogAction;

/** Something to be done for a configured source. */
export type SourceAction = AssociationAction | ResolveAction;
