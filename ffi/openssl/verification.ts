/**
 * Verification of certificates: who must be named, at what time, and the reason of a refusal as one
 * of a few words.
 *
 * The problem: a machine whose clock is wrong cannot check dates, and Network Time Security is how
 * it gets the right time. So the time of verification is an argument, the dates can be left
 * unchecked, and a chain that was seen can be verified again when the time is known.
 *
 * Limits: no revocation. Names are compared with the alternative names only, as RFC 9525 asks; the
 * common name of the subject never counts, and a wildcard stands for one whole label.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { ipToBytes } from "../../src/base/ip_address.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import {
  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
  X509_V_ERR_CA_KEY_TOO_SMALL,
  X509_V_ERR_CA_MD_TOO_WEAK,
  X509_V_ERR_CERT_HAS_EXPIRED,
  X509_V_ERR_CERT_NOT_YET_VALID,
  X509_V_ERR_CERT_SIGNATURE_FAILURE,
  X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
  X509_V_ERR_EE_KEY_TOO_SMALL,
  X509_V_ERR_HOSTNAME_MISMATCH,
  X509_V_ERR_IP_ADDRESS_MISMATCH,
  X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
  X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
  X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE,
  X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
  X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
  X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
  X509_V_FLAG_NO_CHECK_TIME,
  X509_V_FLAG_PARTIAL_CHAIN,
  X509_V_OK,
} from "./constants.ts";
import { readDerCertificate, verificationText } from "./certificate.ts";
import { clearErrors, type OpenSslLibrary, toCString } from "./library.ts";
import { OwnedPointer } from "./owned_pointer.ts";
import { hasAuthorities, NO_AUTHORITIES } from "./trust_store.ts";

/** Why a certificate was refused. */
export type CertificateReason =
  | "certificate-expired"
  | "certificate-not-yet-valid"
  | "certificate-wrong-name"
  | "certificate-self-signed"
  | "certificate-unknown-issuer"
  | "certificate-bad-signature"
  | "certificate-too-weak"
  | "certificate-invalid";

/** The error of a certificate that was refused: the word to count, and a sentence. */
export interface CertificateError {
  /** The word to count. */
  readonly reason: CertificateReason;
  /** OpenSSL's words for it, as a sentence without a full stop. */
  readonly message: string;
}

/** What a certificate is checked for. */
export interface VerificationTarget {
  /**
   * A host name, or an IP address in text (square brackets allowed); a wildcard certificate may
   * match a name.
   */
  readonly host: string;
  /**
   * The time in Unix seconds at which all dates must hold; "unchecked" leaves dates out, and only
   * dates.
   */
  readonly time: number | "unchecked";
}

/** A host that certificates can be checked for. */
export type PeerIdentity =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "address"; readonly bytes: Bytes };

/**
 * Tells whether text is an IP address (brackets and zone are taken off) or a host name (one dot at
 * the end is taken off); undefined when it can be neither.
 */
export function peerIdentity(host: string): PeerIdentity | undefined {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  const bytes = ipToBytes(bare.includes(":") ? bare.replace(/%.*$/, "") : bare);
  if (bytes !== undefined) return { kind: "address", bytes };
  const name = bare.endsWith(".") ? bare.slice(0, -1) : bare;
  const possible = name.length > 0 && name.length <= 253 && /^[A-Za-z0-9_.-]+$/.test(name);
  return possible ? { kind: "name", name } : undefined;
}

/**
 * Writes identity and time into OpenSSL's parameters of a verification; `host` was accepted by
 * `peerIdentity`.
 */
export function applyTarget(
  library: OpenSslLibrary,
  options: {
    readonly parameters: Deno.PointerValue;
    readonly identity: PeerIdentity;
    readonly time: number | "unchecked";
  },
): void {
  const { crypto } = library;
  const { parameters, identity, time } = options;
  crypto.X509_VERIFY_PARAM_set_hostflags(
    parameters,
    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
  );
  // A length that is forgotten here would mean that no name is checked at all, so both outcomes are
  // asserted.
  if (identity.kind === "address") {
    const { bytes } = identity;
    const length = BigInt(bytes.length);
    const set = crypto.X509_VERIFY_PARAM_set1_ip(parameters, bytes, length);
    assert(set === 1, "The address to verify is taken");
  } else {
    const name = toCString(identity.name);
    const length = BigInt(name.length - 1);
    const set = crypto.X509_VERIFY_PARAM_set1_host(parameters, name, length);
    assert(set === 1, "The name to verify is taken");
  }
  if (time === "unchecked") {
    crypto.X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_NO_CHECK_TIME);
  } else {
    crypto.X509_VERIFY_PARAM_set_time(parameters, BigInt(Math.floor(time)));
  }
}

/** Puts OpenSSL's result of a verification into a word and a sentence; undefined for success. */
export function certificateError(
  library: OpenSslLibrary,
  code: number,
): CertificateError | undefined {
  if (code === X509_V_OK) return undefined;
  const reason = reasonOf(code);
  const isAlone = reason === "certificate-unknown-issuer" && !hasAuthorities();
  const text = verificationText(library, code) + (isAlone ? `; ${NO_AUTHORITIES}` : "");
  return { reason, message: `The certificate was refused: ${text}` };
}

/**
 * Verifies a chain in DER, the server's own certificate first, against the trust store of a client
 * context (`store`), for a TLS server.
 */
export function verifyDerChain(
  library: OpenSslLibrary,
  options: VerificationTarget & {
    readonly store: Deno.PointerValue;
    /** Whether a certificate of the store that is no root is trusted by itself. */
    readonly trustsAnyNamed: boolean;
    readonly chain: readonly Bytes[];
  },
): Result<undefined, CertificateError> {
  const identity = peerIdentity(options.host);
  if (identity === undefined) return err(invalid("the host is neither a name nor an address"));
  using certificates = new CertificateStack(library);
  for (const der of options.chain) {
    const certificate = readDerCertificate(library, der);
    if (!certificate.ok) return err(invalid(certificate.error.message));
    certificates.push(certificate.value);
  }
  const leaf = certificates.first;
  if (leaf === undefined) return err(invalid("there is none"));
  const { crypto } = library;
  clearErrors(library);
  using context = new OwnedPointer("X509_STORE_CTX", {
    pointer: crypto.X509_STORE_CTX_new(),
    free: (pointer) => crypto.X509_STORE_CTX_free(pointer),
  });
  const started = crypto.X509_STORE_CTX_init(
    context.pointer,
    options.store,
    leaf,
    certificates.pointer,
  );
  assert(started === 1, "A verification can be started");
  crypto.X509_STORE_CTX_set_default(context.pointer, toCString("ssl_server"));
  const parameters = crypto.X509_STORE_CTX_get0_param(context.pointer);
  if (options.trustsAnyNamed) {
    crypto.X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  }
  applyTarget(library, { parameters, identity, time: options.time });
  const valid = crypto.X509_verify_cert(context.pointer) === 1;
  const code = crypto.X509_STORE_CTX_get_error(context.pointer);
  clearErrors(library);
  if (valid) return ok(undefined);
  return err(certificateError(library, code) ?? invalid("the verification failed"));
}

/** A stack of certificates that owns what lies on it. */
class CertificateStack implements Disposable {
  readonly #library: OpenSslLibrary;
  readonly #stack: OwnedPointer;
  readonly #certificates: OwnedPointer[] = [];

  constructor(library: OpenSslLibrary) {
    this.#library = library;
    this.#stack = new OwnedPointer("STACK_OF(X509)", {
      pointer: library.crypto.OPENSSL_sk_new_null(),
      free: (stack) => library.crypto.OPENSSL_sk_free(stack),
    });
  }

  get pointer(): Deno.PointerObject {
    return this.#stack.pointer;
  }

  get first(): Deno.PointerObject | undefined {
    return this.#certificates[0]?.pointer;
  }

  push(certificate: OwnedPointer): void {
    this.#certificates.push(certificate);
    this.#library.crypto.OPENSSL_sk_push(this.#stack.pointer, certificate.pointer);
  }

  [Symbol.dispose](): void {
    this.#stack.close();
    for (const certificate of this.#certificates) certificate.close();
  }
}

function invalid(reason: string): CertificateError {
  return { reason: "certificate-invalid", message: `The certificate was refused: ${reason}` };
}

/** Sorts the codes of openssl/x509_vfy.h . */
function reasonOf(code: number): CertificateReason {
  switch (code) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "certificate-not-yet-valid";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "certificate-expired";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "certificate-wrong-name";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "certificate-self-signed";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "certificate-unknown-issuer";
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "certificate-bad-signature";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return "certificate-too-weak";
    default:
      return "certificate-invalid";
  }
}
