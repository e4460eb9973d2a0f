/**
 * OpenSSL and the certificates to trust, opened when they are first needed.
 *
 * A missing library is an error only where it is needed. Trust is read from disk once, and again
 * after a reload; a context that is still in use then is closed after its last use.
 *
 * @module
 */
import { readFile } from "../../../ffi/file/files.ts";
import { OpenSsl, type TlsClientContext } from "../../../ffi/openssl/mod.ts";
import { err, ok, type Result } from "../../base/result.ts";

/** Why there is no library or no context. */
export interface TlsContextFailure {
  /** The word to count. */
  readonly reason: "openssl-missing" | "certificate-authority-unusable";
  /** A sentence without a full stop that says what to do. */
  readonly message: string;
}

/** What a key exchange needs. */
export interface AcquiredContext {
  /** One for the whole process; never closed. */
  readonly openssl: OpenSsl;
  /** Valid until `release`, even when trust is forgotten before. */
  readonly context: TlsClientContext;
}

const CERTIFICATES_MAX = 1 << 20;

/** The library with one context for each file of authorities. */
export class TlsContexts {
  #openssl: OpenSsl | undefined;
  #byAuthority = new Map<string | undefined, TlsClientContext>();
  #retired: TlsClientContext[] = [];
  #users = 0;

  /** Opens the library; fails with a sentence that says what to install. */
  open(): Result<OpenSsl, TlsContextFailure> {
    if (this.#openssl !== undefined) return ok(this.#openssl);
    const opened = OpenSsl.open();
    if (opened.ok) {
      this.#openssl = opened.value;
      return opened;
    }
    const { hint } = opened.error;
    const message = hint === undefined ? opened.error.message : `${opened.error.message}; ${hint}`;
    return err({ reason: "openssl-missing", message });
  }

  /** Returns the context for a file of authorities beside the system's, until `release`. */
  acquire(authority: string | undefined): Result<AcquiredContext, TlsContextFailure> {
    const openssl = this.open();
    if (!openssl.ok) return openssl;
    const known = this.#byAuthority.get(authority);
    const context = known === undefined ? makeContext(openssl.value, authority) : ok(known);
    if (!context.ok) return context;
    this.#byAuthority.set(authority, context.value);
    this.#users++;
    return ok({ openssl: openssl.value, context: context.value });
  }

  /** Ends the use of an acquired context. */
  release(): void {
    this.#users--;
    this.#closeRetired();
  }

  /** Reads the certificates to trust again when they are next needed. */
  forgetTrust(): void {
    this.#retired.push(...this.#byAuthority.values());
    this.#byAuthority = new Map();
    this.#closeRetired();
  }

  #closeRetired(): void {
    if (this.#users > 0) return;
    for (const context of this.#retired) context.close();
    this.#retired = [];
  }
}

function makeContext(
  openssl: OpenSsl,
  authority: string | undefined,
): Result<TlsClientContext, TlsContextFailure> {
  const unusable = (message: string) =>
    err({ reason: "certificate-authority-unusable" as const, message });
  if (authority === undefined) {
    const made = openssl.clientContext({ system: true });
    return made.ok ? made : unusable(made.error.message);
  }
  const authorities = readFile(authority, CERTIFICATES_MAX);
  if (!authorities.ok) return unusable(authorities.error.message);
  const made = openssl.clientContext({ system: true, authorities: authorities.value });
  return made.ok ? made : unusable(`${made.error.message} (${authority})`);
}
