/**
 * What an association is told, and what it wants done: the part of the engine's border that it shares.
 *
 * The idea: the engine's events and actions of the same names fit these types as they are, so nothing is translated; an
 * association needs no more of the world than is written here.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { NtpTimestamp } from "../base/ntp_timestamp.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { PollExponent } from "../base/units.ts";
import type { Timestamping } from "./measurement.ts";

/** What an association must know of its `[[source]]` section. */
export interface AssociationConfig {
  /** The host as written, for key exchanges. */
  readonly host: string;
  /** The port as written; with Network Time Security that of the key exchange. */
  readonly port: number;
  readonly certificateAuthority: string | undefined;
  readonly aeadAlgorithms: readonly number[];
  readonly iburst: boolean;
  readonly pollIntervalLimits: { readonly min: PollExponent; readonly max: PollExponent };
  readonly initialPollInterval: PollExponent;
  readonly interleaved: boolean;
}

/** What a configured source must know of its `[[source]]` section. */
export interface SourceGroupConfig extends AssociationConfig {
  readonly mode: "server" | "pool" | "nts" | "nts-pool";
  /** The address as written, for messages. */
  readonly address: string;
  /** How many live members are kept. */
  readonly count: number;
  /** Numeric addresses that are not used. */
  readonly ignore: readonly string[];
}

/** What a key exchange brought (RFC 8915 section 4), as far as a source cares. */
export interface KeyExchangeOutcome {
  readonly aead: number;
  readonly keyC2s: Bytes;
  readonly keyS2c: Bytes;
  readonly cookies: readonly Bytes[];
  /** Where to send NTP requests, if not to the key exchange server's own address and port 123. */
  readonly ntpServer: string | undefined;
  readonly ntpPort: number | undefined;
  /** The address of the key exchange server that was reached. */
  readonly peerAddress: string;
  readonly compliantExporter: boolean;
  readonly provisional: boolean;
}

/** A packet that arrived on the socket of a request. */
export interface Datagram {
  readonly request: number;
  readonly packet: Uint8Array;
  /** When the request left, by the local clock. */
  readonly transmitTimestamp: NtpTimestamp;
  readonly transmitTimestamping: Timestamping;
  /** When the packet arrived, by the local clock. */
  readonly receiveTimestamp: NtpTimestamp;
  readonly receiveTimestamping: Timestamping;
}

/** News that a request could not be sent or delivered. */
export interface SendFailure {
  readonly request: number;
  /** A sentence for people. */
  readonly reason: string;
}

/** Sends a request from a new socket (RFC 9109 section 3). */
export interface SendRequest {
  readonly type: "send";
  readonly association: number;
  readonly request: number;
  readonly destination: SocketAddress;
  readonly packet: Bytes;
}

/** Gives up the socket of a request. */
export interface CloseRequest {
  readonly type: "close";
  readonly request: number;
}

/** Starts a key exchange for Network Time Security. */
export interface ExchangeKeys {
  readonly type: "exchange-keys";
  readonly association: number;
  readonly host: string;
  readonly port: number;
  readonly certificateAuthority: string | undefined;
  readonly aeadAlgorithms: readonly number[];
}

/** Tells the administrator something. */
export interface LogMessage {
  readonly type: "log";
  readonly level: "debug" | "info" | "warning" | "error";
  readonly message: string;
}

/** Looks a name up. */
export interface ResolveName {
  readonly type: "resolve";
  readonly lookup: number;
  readonly host: string;
}

/** Something to be done for one association. */
export type AssociationAction = SendRequest | CloseRequest | ExchangeKeys | LogMessage;

/** Something to be done for a configured source. */
export type SourceAction = AssociationAction | ResolveName;
