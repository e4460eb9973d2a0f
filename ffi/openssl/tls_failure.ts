/**
 * Why a TLS connection failed, as one of a few words that can be counted.
 *
 * @module
 */
import type { OpenSslError } from "./library.ts";
import type { CertificateReason } from "./verification.ts";

/** The words for failures of a TLS connection. */
export type TlsReason =
  | CertificateReason
  | "bad-host"
  | "closed"
  | "no-application-protocol"
  | "no-common-version"
  | "not-tls"
  | "peer-refused-certificate"
  | "peer-alert"
  | "protocol-error"
  | "internal-error";

/** A failure: the word to count, and a sentence with OpenSSL's reason. */
export interface TlsFailure {
  /** The word to count. */
  readonly reason: TlsReason;
  /** A sentence without a full stop. */
  readonly message: string;
}

const LIBRARY_SSL = 20;
const ALERT_BASE = 1000;

/** Sorts an error of libssl. */
export function alertReason(error: OpenSslError): TlsFailure {
  const library = (error.code >>> 23) & 0xff;
  const number = error.code & 0x7f_ffff;
  const reason = library === LIBRARY_SSL ? sslReason(number) : "protocol-error";
  return { reason, message: `The TLS connection failed: ${error.name}` };
}

/** Sorts reason numbers of openssl/sslerr.h; an alert of the peer is 1000 and its number (RFC 8446 section 6). */
function sslReason(number: number): TlsReason {
  if (number >= ALERT_BASE && number < ALERT_BASE + 256) return alert(number - ALERT_BASE);
  switch (number) {
    case 235: // no application protocol
      return "no-application-protocol";
    case 258: // unsupported protocol
    case 191: // no protocols available
    case 266: // wrong ssl version
      return "no-common-version";
    case 267: // wrong version number: the first record is not TLS
    case 155: // https proxy request
    case 156: // http request
      return "not-tls";
    case 294: // unexpected end of file
      return "closed";
    case 68: // internal error
      return "internal-error";
    default:
      return "protocol-error";
  }
}

function alert(number: number): TlsReason {
  if (number === 120) return "no-application-protocol";
  if (number === 70) return "no-common-version";
  // bad, unsupported, revoked, expired, unknown certificate; unknown authority
  if ((number >= 42 && number <= 46) || number === 48) return "peer-refused-certificate";
  return "peer-alert";
}
