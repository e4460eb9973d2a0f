/**
 * OpenSSL and the certificates to trust, opened when they are first needed.
 *
 * A missing library is an error of those who need it, and of nobody else. Trust is read from disk once and again after a reload;
 * a context that is still in use then is closed when its last user is done.
 *
 * @module
 */
import { readFile } from "../../../ffi/file/files.ts";
import { OpenSsl, type TlsClientContext } from "../../../ffi/openssl/mod.ts";
import { err, ok, type Result } from "../../base/result.ts";

/** Why there is no library or no trust. */
export interface LibraryFailure {
  /** The word to count. */
  readonly reason: "openssl-missing" | "certificate-authority-unusable";
  /** A sentence without a full stop that says what to do. */
  readonly message: string;
}

/** What an exchange of keys needs. */
export interface TrustInUse {
  /** One for the whole process; never closed. */
  readonly openssl: OpenSsl;
  /** Valid until it is given back, even if trust is forgotten in between. */
  readonly context: TlsClientContext;
}

const CERTIFICATES_MAX = 1 << 20;

/** The library with one context for each file of authorities. */
export class TlsContexts {
  #openssl: OpenSsl | undefined;
  #contexts = new Map<string | undefined, TlsClientContext>();
  #retired: TlsClientContext[] = [];
  #users = 0;

  /** Opens the library; fails with a sentence that says what to install. */
  open(): Result<OpenSsl, LibraryFailure> {
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

  /** Lends the context for a file of authorities beside the system's; give it back by `release`. */
  borrow(authority: string | undefined): Result<TrustInUse, LibraryFailure> {
    const openssl = this.open();
    if (!openssl.ok) return openssl;
    const known = this.#contexts.get(authority);
    const context = known === undefined ? makeContext(openssl.value, authority) : ok(known);
    if (!context.ok) return context;
    this.#contexts.set(authority, context.value);
    this.#users++;
    return ok({ openssl: openssl.value, context: context.value });
  }

  /** Takes a borrowed context back. */
  release(): void {
    this.#users--;
    this.#closeRetired();
  }

  /** Reads the certificates to trust again when they are next needed. */
  forgetTrust(): void {
    this.#retired.push(...this.#contexts.values());
    this.#contexts = new Map();
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
): Result<TlsClientContext, LibraryFailure> {
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
