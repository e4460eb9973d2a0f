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
import type { Result } from "../base/result.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds, PollExponent } from "../base/units.ts";
import type { ExchangeCertificate } from "../nts/client/session_protection.ts";
import type { Timestamping } from "./measurement.ts";

/** What an association must know of its `[[source]]` section. */
export interface AssociationConfig {
  /** The host as written, for key exchanges. */
  readonly host: string;
  /** The port as written; with Network Time Security that of the key exchange. */
  readonly port: number;
  /** A file of certificates to trust instead of the system's, for key exchanges. */
  readonly certificateAuthority: string | undefined;
  /** Algorithm numbers in order of preference; empty means the default order. */
  readonly aeadAlgorithms: readonly number[];
  /** Whether it begins with a burst. */
  readonly iburst: boolean;
  /** How often the server may be asked. */
  readonly pollIntervalLimits: { readonly min: PollExponent; readonly max: PollExponent };
  /** The poll exponent to begin with. */
  readonly initialPollInterval: PollExponent;
  /** Whether interleaved mode is tried (RFC 9769). */
  readonly interleaved: boolean;
}

/** What a configured source must know of its `[[source]]` section. */
export interface SourceGroupConfig extends AssociationConfig {
  /** Whether it has one member or several, and how they begin. */
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
  /** The number of the algorithm. */
  readonly aead: number;
  /** The key from client to server. */
  readonly keyC2s: Bytes;
  /** The key from server to client. */
  readonly keyS2c: Bytes;
  /** The keys to try after a first refusal, when it is open which ones the server uses. */
  readonly alternativeKeys?: { readonly keyC2s: Bytes; readonly keyS2c: Bytes } | undefined;
  /** Unused cookies. */
  readonly cookies: readonly Bytes[];
  /** Where to send NTP requests, if not to the key exchange server's own address and port 123. */
  readonly ntpServer: string | undefined;
  /** The port to send NTP requests to, if not 123. */
  readonly ntpPort: number | undefined;
  /** The address of the key exchange server that was reached. */
  readonly peerAddress: string;
  /** Whether the compliant exporter context for AEAD 30 was agreed. */
  readonly compliantExporter: boolean;
  /** Whether the certificate was accepted although its dates did not fit the clock. */
  readonly provisional: boolean;
  /** What the keys rest on; left out where nothing is known of it. */
  readonly certificate?: ExchangeCertificate | undefined;
}

/** The outcome of a key exchange as an event tells it. */
export interface KeysExchanged {
  /** Whose exchange it was. */
  readonly association: number;
  /** Keys and cookies, or a sentence that says why there are none. */
  readonly result: Result<KeyExchangeOutcome, string>;
  /** The word under which a failure is counted; the sentence itself when left out. */
  readonly reason?: string | undefined;
  /** Whether no server was reached, because there was no name or no way to it. */
  readonly isLocal?: boolean | undefined;
}

/** A packet that arrived on the socket of a request. */
export interface Datagram {
  /** The request on whose socket it arrived. */
  readonly request: number;
  /** Its octets; they are not kept. */
  readonly packet: Uint8Array;
  /** When the request left, by the local clock. */
  readonly transmitTimestamp: NtpTimestamp;
  /** How that was timestamped. */
  readonly transmitTimestamping: Timestamping;
  /** When the packet arrived, by the local clock. */
  readonly receiveTimestamp: NtpTimestamp;
  /** How that was timestamped. */
  readonly receiveTimestamping: Timestamping;
}

/** News that a request could not be sent or delivered. */
export interface SendFailure {
  /** The request that failed. */
  readonly request: number;
  /** A sentence for people. */
  readonly reason: string;
  /** Whether the request has not left this machine. */
  readonly isLocal?: boolean | undefined;
}

/** Sends a request from a new socket (RFC 9109 section 3). */
export interface SendRequest {
  /** The word for it. */
  readonly type: "send";
  /** Who asks. */
  readonly association: number;
  /** The number of the request, and so of its socket. */
  readonly request: number;
  /** Where to. */
  readonly destination: SocketAddress;
  /** What to send. */
  readonly packet: Bytes;
}

/** Gives up the socket of a request. */
export interface CloseRequest {
  /** The word for it. */
  readonly type: "close";
  /** The request whose socket can go. */
  readonly request: number;
}

/** Starts a key exchange for Network Time Security. */
export interface ExchangeKeys {
  /** The word for it. */
  readonly type: "exchange-keys";
  /** Whose keys they will be. */
  readonly association: number;
  /** The host of the key exchange. */
  readonly host: string;
  /** The TCP port of the key exchange. */
  readonly port: number;
  /** A file of certificates to trust instead of the system's. */
  readonly certificateAuthority: string | undefined;
  /** Algorithm numbers in order of preference; empty means the default order. */
  readonly aeadAlgorithms: readonly number[];
  /** Whether the time server of the last exchange has fallen silent, so that another address of the host is tried first. */
  readonly isSilent?: boolean;
}

/** Tells the administrator something. */
export interface LogMessage {
  /** The word for it. */
  readonly type: "log";
  /** How much it matters. */
  readonly level: "debug" | "info" | "warning" | "error";
  /** A sentence without a full stop. */
  readonly message: string;
  /** The source that it tells of, as its address is written in the configuration. */
  readonly source: string;
}

/** Looks a name up. */
export interface ResolveName {
  /** The word for it. */
  readonly type: "resolve";
  /** The number that the outcome will carry. */
  readonly lookup: number;
  /** The name. */
  readonly host: string;
}

/** Something to be done for one association. */
export type AssociationAction = SendRequest | CloseRequest | ExchangeKeys | LogMessage;

/** Something to be done for a configured source. */
export type SourceAction = AssociationAction | ResolveName;

/** When a session begins, and after how many key exchanges without an authentic answer of the time server, its own among them. */
export interface SessionStart {
  /** The moment. */
  readonly now: MonotonicSeconds;
  /** Counted on from there, so that a silent time server is asked for keys ever more rarely (RFC 8915 section 4.2). */
  readonly tries: number;
}
