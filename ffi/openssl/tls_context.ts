/**
 * TLS contexts for Network Time Security key exchange: what all connections of a client or of a
 * listening server share.
 *
 * TLS 1.3 alone (RFC 8915 section 3), without compression, renegotiation, session tickets,
 * resumption or early data: each exchange is a full handshake and leaves nothing behind. The
 * application protocol is `ntske/1`, asked for by the client and answered by the server.
 *
 * A session keeps what it needs of its context: a context may be closed (and replaced by one with a
 * new certificate) while sessions made from it go on.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { type CertificateDescription } from "./certificate.ts";
import { SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, SSL_VERIFY_PEER } from "./constants.ts";
import { type OpenSslError, type OpenSslLibrary } from "./library.ts";
import { OwnedPointer } from "./owned_pointer.ts";
import {
  applyCredentials,
  applyTrust,
  newContext,
  NTS_KE_PROTOCOL,
  protocolSelector,
  type ServerCredentials,
  type TrustOptions,
} from "./tls_context_setup.ts";
import { type CertificateError, type VerificationTarget, verifyDerChain } from "./verification.ts";

/** What the connections of a client share. */
export class TlsClientContext implements Disposable {
  readonly #library: OpenSslLibrary;
  readonly #context: OwnedPointer;
  readonly #trustsAnyNamed: boolean;

  private constructor(
    library: OpenSslLibrary,
    parts: { readonly context: OwnedPointer; readonly trustsAnyNamed: boolean },
  ) {
    this.#library = library;
    this.#context = parts.context;
    this.#trustsAnyNamed = parts.trustsAnyNamed;
  }

  /** Makes a context; fails when the authorities are not certificates. */
  static create(
    library: OpenSslLibrary,
    trust: TrustOptions,
  ): Result<TlsClientContext, OpenSslError> {
    const made = newContext(library, library.ssl.TLS_client_method());
    if (!made.ok) return made;
    const context = made.value;
    const trusted = applyTrust(library, { context: context.pointer, trust });
    if (!trusted.ok) {
      context.close();
      return trusted;
    }
    library.ssl.SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, null);
    // This one function returns 0 for success.
    const refused = library.ssl.SSL_CTX_set_alpn_protos(
      context.pointer,
      NTS_KE_PROTOCOL,
      NTS_KE_PROTOCOL.length,
    );
    assert(refused === 0, "The application protocol is taken");
    return ok(
      new TlsClientContext(library, { context, trustsAnyNamed: trust.authorities !== undefined }),
    );
  }

  /** The pointer, lent for a call. */
  get pointer(): Deno.PointerObject {
    return this.#context.pointer;
  }

  /**
   * Verifies a chain in DER that was seen before (the server's own certificate first), against what
   * this context trusts, for the given host and time.
   */
  verifyChain(
    chain: readonly Bytes[],
    target: VerificationTarget,
  ): Result<undefined, CertificateError> {
    const store = this.#library.ssl.SSL_CTX_get_cert_store(this.#context.pointer);
    const trustsAnyNamed = this.#trustsAnyNamed;
    return verifyDerChain(this.#library, { ...target, store, trustsAnyNamed, chain });
  }

  /** Gives the context back; sessions made from it go on. */
  close(): void {
    this.#context.close();
  }

  /** Closes it, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** What the connections of a listening server share. */
export class TlsServerContext implements Disposable {
  /** The server's own certificate, as it was read. */
  readonly certificate: CertificateDescription;
  /** All certificates that are shown, its own first. */
  readonly chain: readonly CertificateDescription[];
  readonly #context: OwnedPointer;

  private constructor(context: OwnedPointer, chain: readonly CertificateDescription[]) {
    const [own] = chain;
    assert(own !== undefined, "A chain that was read has a certificate");
    this.#context = context;
    this.certificate = own;
    this.chain = chain;
  }

  /**
   * Makes a context; fails when the texts are no certificates or no key, or when the key belongs to
   * another certificate.
   */
  static create(
    library: OpenSslLibrary,
    credentials: ServerCredentials,
  ): Result<TlsServerContext, OpenSslError> {
    const made = newContext(library, library.ssl.TLS_server_method());
    if (!made.ok) return made;
    const context = made.value;
    const chain = applyCredentials(library, { context: context.pointer, credentials });
    if (!chain.ok) {
      context.close();
      return chain;
    }
    library.ssl.SSL_CTX_set_num_tickets(context.pointer, 0n);
    library.ssl.SSL_CTX_ctrl(
      context.pointer,
      SSL_CTRL_SET_SESS_CACHE_MODE,
      SSL_SESS_CACHE_OFF,
      null,
    );
    library.ssl.SSL_CTX_set_alpn_select_cb(
      context.pointer,
      protocolSelector(library).pointer,
      null,
    );
    return ok(new TlsServerContext(context, chain.value));
  }

  /** The pointer, lent for a call. */
  get pointer(): Deno.PointerObject {
    return this.#context.pointer;
  }

  /** Gives the context back; sessions made from it go on. */
  close(): void {
    this.#context.close();
  }

  /** Closes it, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
