/**
 * One TLS connection over octets: what came from the network goes in, what must go to the network
 * comes out. No sockets and no waiting; the same class serves clients and servers.
 *
 * The idea: OpenSSL works on two memory streams. After every call the owner takes `output()` and
 * sends it. The keys of Network Time Security come from the exporter of the finished handshake (RFC
 * 8915 section 5.1).
 *
 * Limits: the owner bounds how many octets it feeds; OpenSSL itself refuses handshakes beyond some
 * 130 KB.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import {
  SSL_CTRL_SET_TLSEXT_HOSTNAME,
  SSL_ERROR_WANT_READ,
  SSL_ERROR_WANT_WRITE,
  SSL_ERROR_ZERO_RETURN,
} from "./constants.ts";
import {
  type CertificateDescription,
  describeCertificate,
  ownCertificate,
  publicKeyDer,
  toDer,
} from "./certificate.ts";
import { TlsClientContext, type TlsServerContext } from "./tls_context.ts";
import { NTS_KE_PROTOCOL } from "./tls_context_setup.ts";
import { clearErrors, cString, type OpenSslLibrary, takeError, toCString } from "./library.ts";
import { OwnedPointer } from "./owned_pointer.ts";
import { alertReason, type TlsFailure } from "./tls_failure.ts";
import {
  applyTarget,
  certificateError,
  peerIdentity,
  type VerificationTarget,
} from "./verification.ts";

/** What a client knows of the server's certificates after the handshake. */
export interface PeerCertificates {
  /** The server's own certificate. */
  readonly leaf: CertificateDescription;
  /** The public key of the server's own certificate, with its algorithm, in DER. */
  readonly publicKey: Bytes;
  /** What the server sent, in DER, its own certificate first; for a later verification. */
  readonly chain: readonly Bytes[];
  /**
   * First second, in Unix seconds, at which every certificate up to the trusted one is valid; not a
   * number if one of them cannot be read.
   */
  readonly notBefore: number;
  /**
   * Last second, in Unix seconds, at which every certificate up to the trusted one is valid; not a
   * number if one of them cannot be read.
   */
  readonly notAfter: number;
}

const READ_LENGTH = 16_384 + 512;
// One for all sessions: calls are synchronous, and results are copied out.
const readBuffer = new Uint8Array(READ_LENGTH);
const selectedAddress = new BigUint64Array(1);
const selectedLength = new Uint32Array(1);

/** One TLS connection, as a client or as a server. */
export class TlsSession implements Disposable {
  readonly #library: OpenSslLibrary;
  readonly #ssl: OwnedPointer;
  readonly #isClient: boolean;
  #input: Deno.PointerObject;
  #output: Deno.PointerObject;
  #complete = false;
  #failed = false;

  private constructor(library: OpenSslLibrary, context: TlsClientContext | TlsServerContext) {
    const { crypto, ssl } = library;
    this.#library = library;
    this.#isClient = context instanceof TlsClientContext;
    const free = (session: Deno.PointerObject) => ssl.SSL_free(session);
    this.#ssl = new OwnedPointer("SSL", { pointer: ssl.SSL_new(context.pointer), free });
    const input = crypto.BIO_new(crypto.BIO_s_mem());
    const output = crypto.BIO_new(crypto.BIO_s_mem());
    assert(input !== null && output !== null, "OpenSSL gave no memory for BIO");
    // From here on the streams belong to the session and are freed with it.
    ssl.SSL_set_bio(this.#ssl.pointer, input, output);
    this.#input = input;
    this.#output = output;
  }

  /**
   * Starts a connection to the host that `target` names; fails when that can be neither a name nor
   * an address.
   */
  static client(
    library: OpenSslLibrary,
    options: { readonly context: TlsClientContext; readonly target: VerificationTarget },
  ): Result<TlsSession, TlsFailure> {
    const { target } = options;
    const identity = peerIdentity(target.host);
    if (identity === undefined) {
      const message = `Wanted a host name or an IP address, found ${JSON.stringify(target.host)}`;
      return err({ reason: "bad-host", message });
    }
    const session = new TlsSession(library, options.context);
    const pointer = session.#ssl.pointer;
    const parameters = library.ssl.SSL_get0_param(pointer);
    applyTarget(library, { parameters, identity, time: target.time });
    if (identity.kind === "name") {
      const name = toCString(identity.name);
      library.ssl.SSL_ctrl(pointer, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0n, name);
    }
    library.ssl.SSL_set_connect_state(pointer);
    return ok(session);
  }

  /** Starts the server's side of a connection. */
  static server(library: OpenSslLibrary, context: TlsServerContext): TlsSession {
    const session = new TlsSession(library, context);
    library.ssl.SSL_set_accept_state(session.#ssl.pointer);
    return session;
  }

  /** Takes octets from the network; they are copied. */
  feed(ciphertext: Uint8Array<ArrayBuffer>): void {
    if (ciphertext.length === 0) return;
    const { crypto } = this.#library;
    assert(!this.#ssl.closed, "A closed session takes nothing");
    const taken = crypto.BIO_write(this.#input, ciphertext, ciphertext.length);
    assert(taken === ciphertext.length, "A memory stream takes all");
  }

  /**
   * Returns the octets that must go to the network now, in a new array, or undefined when there are
   * none.
   */
  output(): Bytes | undefined {
    assert(!this.#ssl.closed, "A closed session has nothing to send");
    let all: Bytes | undefined;
    for (;;) {
      const length = this.#library.crypto.BIO_read(this.#output, readBuffer, READ_LENGTH);
      if (length <= 0) return all;
      const joined = new Uint8Array((all?.length ?? 0) + length);
      if (all !== undefined) joined.set(all);
      joined.set(readBuffer.subarray(0, length), all?.length ?? 0);
      all = joined;
    }
  }

  /**
   * Carries the handshake as far as the input allows; true when it is complete. After a failure
   * `output()` may still hold the alert for the peer. The application protocol is checked here:
   * without `ntske/1` there is no success.
   */
  handshake(): Result<boolean, TlsFailure> {
    if (this.#complete) return ok(true);
    assert(!this.#failed, "A failed handshake does not go on");
    clearErrors(this.#library);
    const result = this.#library.ssl.SSL_do_handshake(this.#ssl.pointer);
    if (result !== 1) {
      const failure = this.#failure(result, "SSL_do_handshake");
      return failure === undefined ? ok(false) : err(failure);
    }
    if (!this.#protocolAgreed()) {
      this.#failed = true;
      const message = "Wanted the application protocol ntske/1, the peer named none";
      return err({ reason: "no-application-protocol", message });
    }
    this.#complete = true;
    return ok(true);
  }

  /**
   * Returns what the peer sent, at most one record, in a new array; "closed" when it closed the
   * connection properly; undefined when more input is needed.
   */
  read(): Result<Bytes | "closed" | undefined, TlsFailure> {
    assert(this.#complete, "Reading needs a complete handshake");
    clearErrors(this.#library);
    const length = this.#library.ssl.SSL_read(this.#ssl.pointer, readBuffer, READ_LENGTH);
    if (length > 0) return ok(readBuffer.slice(0, length));
    if (this.#error(length) === SSL_ERROR_ZERO_RETURN) return ok("closed");
    const failure = this.#failure(length, "SSL_read");
    return failure === undefined ? ok(undefined) : err(failure);
  }

  /** Encrypts octets for the peer, to be taken by `output()`. */
  write(plaintext: Uint8Array<ArrayBuffer>): Result<undefined, TlsFailure> {
    assert(this.#complete, "Writing needs a complete handshake");
    if (plaintext.length === 0) return ok(undefined);
    clearErrors(this.#library);
    const { pointer } = this.#ssl;
    const written = this.#library.ssl.SSL_write(pointer, plaintext, plaintext.length);
    if (written === plaintext.length) return ok(undefined);
    const failure = this.#failure(written, "SSL_write");
    return err(failure ?? { reason: "internal-error", message: "SSL_write took only a part" });
  }

  /**
   * Says good-bye (close_notify), to be taken by `output()`; nothing before the handshake is
   * complete or after a failure.
   */
  shutdown(): void {
    if (!this.#complete || this.#failed) return;
    clearErrors(this.#library);
    this.#library.ssl.SSL_shutdown(this.#ssl.pointer);
    clearErrors(this.#library);
  }

  /** Derives `length` octets from the handshake (RFC 8446 section 7.5). */
  exportKeyingMaterial(options: {
    readonly label: string;
    readonly context: Bytes;
    readonly length: number;
  }): Bytes {
    assert(this.#complete, "Exporting needs a complete handshake");
    const label = new TextEncoder().encode(options.label);
    const material = new Uint8Array(options.length);
    const done = this.#library.ssl.SSL_export_keying_material(
      this.#ssl.pointer,
      material,
      BigInt(material.length),
      label,
      BigInt(label.length),
      options.context,
      BigInt(options.context.length),
      1,
    );
    assert(done === 1, "A complete TLS 1.3 handshake exports keys");
    return material;
  }

  /** Tells of the server's certificates; for clients after the handshake. */
  peerCertificates(): PeerCertificates {
    assert(
      this.#complete && this.#isClient,
      "Only a client after the handshake knows certificates",
    );
    const { ssl } = this.#library;
    const { pointer } = this.#ssl;
    using leaf = ownCertificate(this.#library, ssl.SSL_get1_peer_certificate(pointer));
    const verified = this.#stack(ssl.SSL_get0_verified_chain(pointer))
      .map((certificate) => describeCertificate(this.#library, certificate));
    return {
      leaf: describeCertificate(this.#library, leaf.pointer),
      publicKey: publicKeyDer(this.#library, leaf.pointer),
      chain: this.#stack(ssl.SSL_get_peer_cert_chain(pointer))
        .map((certificate) => toDer(this.#library, certificate)),
      notBefore: Math.max(...verified.map((certificate) => certificate.notBefore)),
      notAfter: Math.min(...verified.map((certificate) => certificate.notAfter)),
    };
  }

  /** The version of the protocol that was agreed, as "TLSv1.3". */
  get version(): string {
    return cString(this.#library.ssl.SSL_get_version(this.#ssl.pointer));
  }

  /** Whether the handshake was completed. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Gives everything back; closing again does nothing. */
  close(): void {
    this.#ssl.close();
  }

  /** Closes it, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #stack(stack: Deno.PointerValue): Deno.PointerObject[] {
    const { crypto } = this.#library;
    const count = stack === null ? 0 : crypto.OPENSSL_sk_num(stack);
    return Array.from({ length: count }, (_, i) => crypto.OPENSSL_sk_value(stack, i))
      .filter((pointer) => pointer !== null);
  }

  #protocolAgreed(): boolean {
    const length = NTS_KE_PROTOCOL.length - 1;
    selectedLength[0] = 0;
    this.#library.ssl.SSL_get0_alpn_selected(this.#ssl.pointer, selectedAddress, selectedLength);
    if (selectedLength[0] !== length) return false;
    // A server selects by the callback of its context, which knows one name; what a client is told
    // may be anything.
    if (!this.#isClient) return true;
    const pointer = Deno.UnsafePointer.create(selectedAddress[0] ?? 0n);
    if (pointer === null) return false;
    const selected = new Uint8Array(length);
    Deno.UnsafePointerView.copyInto(pointer, selected);
    return selected.every((octet, i) => octet === NTS_KE_PROTOCOL[i + 1]);
  }

  #error(result: number): number {
    return this.#library.ssl.SSL_get_error(this.#ssl.pointer, result);
  }

  /** Finds out why a call failed; undefined when it only wants more input. */
  #failure(result: number, call: string): TlsFailure | undefined {
    const kind = this.#error(result);
    if (kind === SSL_ERROR_WANT_READ || kind === SSL_ERROR_WANT_WRITE) return undefined;
    this.#failed = true;
    const error = takeError(this.#library, call);
    if (this.#isClient) {
      const code = Number(this.#library.ssl.SSL_get_verify_result(this.#ssl.pointer));
      const refused = certificateError(this.#library, code);
      if (refused !== undefined) return refused;
    }
    if (kind === SSL_ERROR_ZERO_RETURN) {
      return { reason: "closed", message: "The peer closed the connection during the handshake" };
    }
    return alertReason(error);
  }
}
