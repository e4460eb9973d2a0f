/**
 * The certificate and key of a key exchange server, as they lie on disk: read at start, again on
 * request, and again when the files change.
 *
 * The idea: both files are read and checked together before anything changes; a pair that does not
 * fit leaves the old one in use, and says why. So a renewal that replaces two files one after the
 * other is harmless: the pair in between is refused, the complete one is taken at the next look.
 *
 * @module
 */
import { fileStatus, readFile } from "../../../ffi/file/files.ts";
import type {
  CertificateDescription,
  OpenSsl,
  TlsServerContext,
} from "../../../ffi/openssl/mod.ts";
import { err, ok, type Result } from "../../base/result.ts";

/** Where the pair lies. */
export interface CredentialPaths {
  /** The certificate chain in PEM, the server's own certificate first. */
  readonly certificateChainPath: string;
  /** The private key in PEM. */
  readonly privateKeyPath: string;
}

/** Why a pair is not used: a sentence, and advice if there is any. */
export interface CredentialFailure {
  /** A sentence without a full stop. */
  readonly message: string;
  /** What an administrator can do. */
  readonly hint: string | undefined;
}

/** What a look at the files found. */
export type Reload =
  | { readonly kind: "unchanged" }
  | { readonly kind: "changed"; readonly certificate: CertificateDescription }
  | { readonly kind: "failed"; readonly failure: CredentialFailure };

const FILE_LENGTH_MAX = 1 << 20;

/** The pair in use. */
export class Credentials implements Disposable {
  readonly #openssl: OpenSsl;
  #paths: CredentialPaths;
  #context: TlsServerContext;
  #seen: string;

  private constructor(
    openssl: OpenSsl,
    state: {
      readonly paths: CredentialPaths;
      readonly context: TlsServerContext;
      readonly seen: string;
    },
  ) {
    this.#openssl = openssl;
    this.#paths = state.paths;
    this.#context = state.context;
    this.#seen = state.seen;
  }

  /** Reads the pair for the first time. */
  static load(openssl: OpenSsl, paths: CredentialPaths): Result<Credentials, CredentialFailure> {
    const seen = lookAt(paths);
    const context = read(openssl, paths);
    return context.ok
      ? ok(new Credentials(openssl, { paths, context: context.value, seen }))
      : context;
  }

  /** What new connections use; it stays the property of this object. */
  get context(): TlsServerContext {
    return this.#context;
  }

  /** Reads the pair again when the files are others than at the last look; for a timer. */
  reloadIfChanged(): Reload {
    return lookAt(this.#paths) === this.#seen ? { kind: "unchanged" } : this.reload();
  }

  /** Takes the pair from other files from the next `reload` on; until one succeeds it stays. */
  follow(paths: CredentialPaths): void {
    this.#paths = paths;
  }

  /** Reads the pair again in any case; connections that exist go on with the old one. */
  reload(): Reload {
    this.#seen = lookAt(this.#paths);
    const context = read(this.#openssl, this.#paths);
    if (!context.ok) return { kind: "failed", failure: context.error };
    this.#context.close();
    this.#context = context.value;
    return { kind: "changed", certificate: context.value.certificate };
  }

  /** Gives the context back. */
  close(): void {
    this.#context.close();
  }

  /** Closes it, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function read(
  openssl: OpenSsl,
  paths: CredentialPaths,
): Result<TlsServerContext, CredentialFailure> {
  const certificateChain = readFile(paths.certificateChainPath, FILE_LENGTH_MAX);
  if (!certificateChain.ok) return refused(certificateChain.error);
  const privateKey = readFile(paths.privateKeyPath, FILE_LENGTH_MAX);
  if (!privateKey.ok) return refused(privateKey.error);
  const context = openssl.serverContext({
    certificateChain: certificateChain.value,
    privateKey: privateKey.value,
  });
  privateKey.value.fill(0);
  if (context.ok) return context;
  const { message } = context.error;
  const file = /private key/.test(message) ? paths.privateKeyPath : paths.certificateChainPath;
  return refused({ ...context.error, message: `${message}: ${file}` });
}

function refused(
  error: { readonly message: string; readonly hint?: string },
): { readonly ok: false; readonly error: CredentialFailure } {
  return err({ message: error.message, hint: error.hint });
}

/** Puts into text what tells one state of the files from another. */
function lookAt(paths: CredentialPaths): string {
  return [paths.certificateChainPath, paths.privateKeyPath].map((path) => {
    const status = fileStatus(path);
    if (!status.ok || status.value === undefined) return "none";
    return `${status.value.inode}/${status.value.modified}/${status.value.size}`;
  }).join(" ");
}
