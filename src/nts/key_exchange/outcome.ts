/**
 * The result of a key exchange (RFC 8915 section 4), in the one shape that it has from the TLS
 * connection to the association.
 *
 * The idea: each step adds to what the one before has found. Messages agree on parameters; with the
 * keys that TLS exports these are the secrets of a session, which a restart may keep; with what is
 * known of the server they are the outcome.
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import type { UnixSeconds } from "../../base/units.ts";
import type { NtsAeadId } from "../../crypto/aead.ts";
import type { SessionKeys } from "./exporter.ts";

/** The time server that keys are for. */
export interface TimeServer {
  /** Its name or address without brackets; undefined when it is the host of the key exchange. */
  readonly ntpServer: string | undefined;
  /** Its port. */
  readonly ntpPort: number;
}

/** What client and server have agreed on by messages. */
export interface AgreedParameters extends TimeServer {
  /** The algorithm. */
  readonly aeadId: NtsAeadId;
  /** Unused cookies, at most eight, in the order in which they came. */
  readonly cookies: readonly Bytes[];
}

/** What a session needs to protect packets; secret. */
export interface SessionSecrets extends AgreedParameters {
  /** The keys. */
  readonly keys: SessionKeys;
  /**
   * The keys to try after a first NAK, when it is open which ones the server uses; see
   * `exporter.ts`.
   */
  readonly alternativeKeys: SessionKeys | undefined;
}

/** What a key exchange brought; secret. */
export interface KeyExchangeOutcome extends SessionSecrets {
  /** The address of the key exchange server that was reached, numeric, without port. */
  readonly peerAddress: string;
  /** Why the certificate is accepted provisionally only; undefined when its dates fit the clock. */
  readonly provisional: DateReason | undefined;
  /** What the keys rest on. */
  readonly certificate: ExchangeCertificate;
}

/** How the dates of a certificate do not fit the clock. */
export type DateReason = "certificate-expired" | "certificate-not-yet-valid";

/** The certificates on which keys rest, for verifying them again at another time. */
export interface ExchangeCertificate {
  /**
   * The server's own certificate: its subject in one line, and the last second at which it is
   * valid.
   */
  readonly leaf: { readonly subject: string; readonly notAfter: UnixSeconds };
  /** First second at which the whole chain is valid. */
  readonly notBefore: UnixSeconds;
  /** Last second at which the whole chain is valid. */
  readonly notAfter: UnixSeconds;
  /** What tells the server's public key from those of other servers: its SHA-256 in hexadecimal. */
  readonly identity: string;
  /** The host that the server's certificate must name. */
  readonly host: string;
  /** The file of authorities with which it was verified; undefined for the system's alone. */
  readonly certificateAuthority: string | undefined;
  /** What the server sent, in DER, its own certificate first. */
  readonly chain: readonly Bytes[];
}
