/**
 * The system's OpenSSL 3, opened when it is first needed, and how it tells of errors.
 *
 * The idea: ntpsd works without OpenSSL as long as Network Time Security is not asked for, so the
 * library is opened late and its absence is a value. OpenSSL keeps its errors in a queue for each
 * thread: all calls here are synchronous, and every group of calls starts by `clearErrors` and
 * ends, when it failed, by `takeError`.
 *
 * Limits: OpenSSL 3 only (`libssl.so.3`); the libraries stay open until the process ends.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { OPENSSL_INIT_NO_ATEXIT, OPENSSL_VERSION } from "./constants.ts";
import { CRYPTO_SYMBOLS, SSL_SYMBOLS } from "./symbols.ts";

/** What went wrong in the library; shaped as the errors of the other system calls are. */
export interface OpenSslError {
  /** The function that failed. */
  readonly call: string;
  /** OpenSSL's number of the error, 0 when there is none. */
  readonly code: number;
  /** OpenSSL's own words for the reason, or "unknown". */
  readonly name: string;
  /** The whole as a sentence without a full stop. */
  readonly message: string;
  /** What an administrator can do about it. */
  readonly hint?: string;
}

/** The two libraries, opened. */
export interface OpenSslLibrary {
  /** Functions of libcrypto. */
  readonly crypto: Deno.DynamicLibrary<typeof CRYPTO_SYMBOLS>["symbols"];
  /** Functions of libssl. */
  readonly ssl: Deno.DynamicLibrary<typeof SSL_SYMBOLS>["symbols"];
  /** What the library says of itself, as "OpenSSL 3.0.19 27 Jan 2026". */
  readonly version: string;
}

/** The names by which the dynamic linker finds the libraries. */
export interface LibraryNames {
  /** File name of libcrypto. */
  readonly crypto: string;
  /** File name of libssl. */
  readonly ssl: string;
}

/** The names under which OpenSSL 3 is installed everywhere. */
const LIBRARY_NAMES: LibraryNames = { crypto: "libcrypto.so.3", ssl: "libssl.so.3" };

let opened: Result<OpenSslLibrary, OpenSslError> | undefined;

/** Opens the system's OpenSSL 3 at the first call and returns the same outcome ever after. */
export function openSslLibrary(): Result<OpenSslLibrary, OpenSslError> {
  opened ??= openLibraries(LIBRARY_NAMES);
  return opened;
}

/** Opens libraries by name; `openSslLibrary` is what one wants outside tests. */
export function openLibraries(names: LibraryNames): Result<OpenSslLibrary, OpenSslError> {
  const crypto = tryOpen(names.crypto, CRYPTO_SYMBOLS);
  if (!crypto.ok) return crypto;
  const ssl = tryOpen(names.ssl, SSL_SYMBOLS);
  if (!ssl.ok) {
    crypto.value.close();
    return ssl;
  }
  // Without OpenSSL's handler at exit, which the first call in a process decides: it frees what
  // belongs to threads without a lock, and a thread that ends at that moment frees it again.
  if (ssl.value.symbols.OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, null) !== 1) {
    return err(takeError({ crypto: crypto.value.symbols }, "OPENSSL_init_ssl"));
  }
  const symbols = { crypto: crypto.value.symbols, ssl: ssl.value.symbols };
  return ok({ ...symbols, version: cString(symbols.crypto.OpenSSL_version(OPENSSL_VERSION)) });
}

/**
 * Empties the error queue of this thread; to be called before a group of calls whose error matters.
 */
export function clearErrors(library: Pick<OpenSslLibrary, "crypto">): void {
  library.crypto.ERR_clear_error();
}

/**
 * Empties the error queue of this thread and returns the oldest error of it, which is nearest to
 * the cause, as the reason why `call` failed.
 */
export function takeError(library: Pick<OpenSslLibrary, "crypto">, call: string): OpenSslError {
  const packed = library.crypto.ERR_get_error();
  const name = packed === 0n
    ? "unknown"
    : cString(library.crypto.ERR_reason_error_string(packed)) || "unknown";
  library.crypto.ERR_clear_error();
  const code = Number(packed & 0xffff_ffffn);
  return { call, code, name, message: `${call} failed: ${name}` };
}

/** Copies a C string; the empty string for a null pointer. */
export function cString(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** Writes text as a C string; the text holds no NUL (asserted). */
export function toCString(text: string): Uint8Array<ArrayBuffer> {
  assert(!text.includes("\0"), "A C string holds no NUL");
  return new TextEncoder().encode(`${text}\0`);
}

function tryOpen<Symbols extends Deno.ForeignLibraryInterface>(
  name: string,
  symbols: Symbols,
): Result<Deno.DynamicLibrary<Symbols>, OpenSslError> {
  try {
    return ok(Deno.dlopen(name, symbols));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const told = error instanceof Error ? error.message : String(error);
    // The runtime says twice that it could not, and the name a third time.
    const detail = told.replace(/^(Could not open library: )+/, "").replace(`${name}: `, "");
    return err({
      call: "dlopen",
      code: 0,
      name: "library-missing",
      message:
        `${name} of OpenSSL 3 is needed for Network Time Security and could not be opened: ${detail}`,
      hint:
        "Install OpenSSL 3 (Debian and Ubuntu: apt install libssl3; Fedora: dnf install openssl-libs)",
    });
  }
}
