/**
 * The public face of TLS and of the fast ciphers: the system's OpenSSL 3 behind one class.
 *
 * The problem: RFC 8915 derives its keys by a TLS exporter, and Deno has none. The idea: libssl and
 * libcrypto by FFI with memory streams over octets, so that sockets stay with the daemon. If Deno
 * gains an exporter, only what is behind this class changes.
 *
 * Limits: OpenSSL 3.0 or later on Linux; TLS 1.3 alone; one thread.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { TlsClientContext, TlsServerContext } from "./tls_context.ts";
import type { ServerCredentials, TrustOptions } from "./tls_context_setup.ts";
import type { TlsFailure } from "./tls_failure.ts";
import { type AeadShape, OpenSslAead } from "./aead.ts";
import { type OpenSslError, type OpenSslLibrary, openSslLibrary } from "./library.ts";
import { TlsSession } from "./tls_session.ts";
import type { VerificationTarget } from "./verification.ts";

export type { AeadShape, OpenSslAead } from "./aead.ts";
export type { AeadRanges } from "./aead_ranges.ts";
export type { CertificateDescription } from "./certificate.ts";
export type { TlsClientContext, TlsServerContext } from "./tls_context.ts";
export type { ServerCredentials, TrustOptions } from "./tls_context_setup.ts";
export type { TlsFailure, TlsReason } from "./tls_failure.ts";
export type { OpenSslError } from "./library.ts";
export type { PeerCertificates, TlsSession } from "./tls_session.ts";
export type { CertificateError, CertificateReason, VerificationTarget } from "./verification.ts";

/** The system's OpenSSL 3, opened. */
export class OpenSsl {
  /** What the library says of itself, as "OpenSSL 3.0.19 27 Jan 2026". */
  readonly version: string;
  readonly #library: OpenSslLibrary;

  private constructor(library: OpenSslLibrary) {
    this.#library = library;
    this.version = library.version;
  }

  /** Opens the library; when it is missing, the error says what to install. */
  static open(): Result<OpenSsl, OpenSslError> {
    const library = openSslLibrary();
    return library.ok ? ok(new OpenSsl(library.value)) : library;
  }

  /** Makes a client context; fails when the authorities given are not certificates. */
  clientContext(trust: TrustOptions): Result<TlsClientContext, OpenSslError> {
    return TlsClientContext.create(this.#library, trust);
  }

  /**
   * Makes a server context; fails when the credentials are not certificates and the key of the
   * first of them.
   */
  serverContext(credentials: ServerCredentials): Result<TlsServerContext, OpenSslError> {
    return TlsServerContext.create(this.#library, credentials);
  }

  /** Starts a client's connection to the host that `target` names. */
  connect(
    context: TlsClientContext,
    target: VerificationTarget,
  ): Result<TlsSession, TlsFailure> {
    return TlsSession.client(this.#library, { context, target });
  }

  /** Starts the server's side of a connection. */
  accept(context: TlsServerContext): TlsSession {
    return TlsSession.server(this.#library, context);
  }

  /** Makes an authenticated encryption without a key. */
  aead<Parameters extends AeadShape>(parameters: Parameters): OpenSslAead<Parameters> {
    return new OpenSslAead(this.#library, parameters);
  }
}
