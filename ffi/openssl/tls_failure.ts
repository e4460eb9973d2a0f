/**
 * Why a TLS connection failed, as one of a few words that can be counted.
 *
 * @module
 */
import {
  ERR_LIB_SSL,
  ERR_R_INTERNAL_ERROR,
  SSL_AD_BAD_CERTIFICATE,
  SSL_AD_CERTIFICATE_UNKNOWN,
  SSL_AD_NO_APPLICATION_PROTOCOL,
  SSL_AD_PROTOCOL_VERSION,
  SSL_AD_REASON_OFFSET,
  SSL_AD_UNKNOWN_CA,
  SSL_R_HTTP_REQUEST,
  SSL_R_HTTPS_PROXY_REQUEST,
  SSL_R_NO_APPLICATION_PROTOCOL,
  SSL_R_NO_PROTOCOLS_AVAILABLE,
  SSL_R_UNEXPECTED_EOF_WHILE_READING,
  SSL_R_UNSUPPORTED_PROTOCOL,
  SSL_R_WRONG_SSL_VERSION,
  SSL_R_WRONG_VERSION_NUMBER,
} from "./constants.ts";
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

/** Sorts an error of libssl. */
export function alertReason(error: OpenSslError): TlsFailure {
  const library = (error.code >>> 23) & 0xff;
  const number = error.code & 0x7f_ffff;
  const reason = library === ERR_LIB_SSL ? sslReason(number) : "protocol-error";
  return { reason, message: `The TLS connection failed: ${error.name}` };
}

/**
 * Sorts reason numbers of openssl/sslerr.h; an alert of the peer is 1000 and its number (RFC 8446
 * section 6).
 */
function sslReason(number: number): TlsReason {
  if (number >= SSL_AD_REASON_OFFSET && number < SSL_AD_REASON_OFFSET + 256) {
    return alert(number - SSL_AD_REASON_OFFSET);
  }
  switch (number) {
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return "no-application-protocol";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_WRONG_SSL_VERSION:
      return "no-common-version";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_HTTP_REQUEST:
      return "not-tls";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "closed";
    case ERR_R_INTERNAL_ERROR:
      return "internal-error";
    default:
      return "protocol-error";
  }
}

function alert(number: number): TlsReason {
  if (number === SSL_AD_NO_APPLICATION_PROTOCOL) return "no-application-protocol";
  if (number === SSL_AD_PROTOCOL_VERSION) return "no-common-version";
  // Those between are about certificates too: unsupported, revoked, expired.
  if (
    (number >= SSL_AD_BAD_CERTIFICATE && number <= SSL_AD_CERTIFICATE_UNKNOWN) ||
    number === SSL_AD_UNKNOWN_CA
  ) return "peer-refused-certificate";
  return "peer-alert";
}
