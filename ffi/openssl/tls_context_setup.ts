/**
 * What a TLS context is set to: versions, cipher suites, groups, strength, trust, credentials, and
 * the application protocol.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import {
  type CertificateDescription,
  describeCertificate,
  readPemCertificates,
  readPemPrivateKey,
} from "./certificate.ts";
import {
  OPENSSL_NPN_NEGOTIATED,
  SSL_CTRL_EXTRA_CHAIN_CERT,
  SSL_CTRL_MODE,
  SSL_CTRL_SET_GROUPS_LIST,
  SSL_CTRL_SET_MAX_PROTO_VERSION,
  SSL_CTRL_SET_MIN_PROTO_VERSION,
  SSL_MODE_NO_AUTO_CHAIN,
  SSL_MODE_RELEASE_BUFFERS,
  SSL_OP_CIPHER_SERVER_PREFERENCE,
  SSL_OP_NO_COMPRESSION,
  SSL_OP_NO_RENEGOTIATION,
  SSL_OP_NO_TICKET,
  SSL_TLSEXT_ERR_ALERT_FATAL,
  SSL_TLSEXT_ERR_OK,
  TLS1_3_VERSION,
  X509_V_FLAG_PARTIAL_CHAIN,
} from "./constants.ts";
import {
  clearErrors,
  type OpenSslError,
  type OpenSslLibrary,
  takeError,
  toCString,
} from "./library.ts";
import { OwnedPointer } from "./owned_pointer.ts";

/** The protocol name that both sides demand, in the form of RFC 7301: a length, then the octets. */
export const NTS_KE_PROTOCOL: Bytes = new TextEncoder().encode("\x07ntske/1");

/** Whom a client trusts. */
export interface TrustOptions {
  /** Trust what the system trusts. */
  readonly system: boolean;
  /**
   * Certificates in PEM that are trusted besides; each of them may end a chain, also when it is not
   * self-signed.
   */
  readonly authorities?: Bytes;
}

/** What a server shows, both in PEM. */
export interface ServerCredentials {
  /** The server's certificate, then those that lead to the root. */
  readonly certificateChain: Bytes;
  /** The private key that belongs to the first certificate, without pass phrase. */
  readonly privateKey: Bytes;
}

/** Makes a context of TLS 1.3 with what both sides have in common. */
export function newContext(
  library: OpenSslLibrary,
  method: Deno.PointerValue,
): Result<OwnedPointer, OpenSslError> {
  const { ssl } = library;
  clearErrors(library);
  const pointer = ssl.SSL_CTX_new(method);
  if (pointer === null) return err(takeError(library, "SSL_CTX_new"));
  const free = (context: Deno.PointerObject) => ssl.SSL_CTX_free(context);
  const context = new OwnedPointer("SSL_CTX", { pointer, free });
  for (const bound of [SSL_CTRL_SET_MIN_PROTO_VERSION, SSL_CTRL_SET_MAX_PROTO_VERSION]) {
    const set = ssl.SSL_CTX_ctrl(context.pointer, bound, TLS1_3_VERSION, null);
    assert(set === 1n, "OpenSSL 3 speaks TLS 1.3");
  }
  raiseSecurityLevel(library, context.pointer);
  ssl.SSL_CTX_set_options(
    context.pointer,
    SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
      SSL_OP_CIPHER_SERVER_PREFERENCE,
  );
  // A server sends the chain that it was given; else OpenSSL would look for one at every handshake.
  const mode = SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN;
  ssl.SSL_CTX_ctrl(context.pointer, SSL_CTRL_MODE, mode, null);
  const listed = ssl.SSL_CTX_set_ciphersuites(context.pointer, CIPHER_SUITES);
  assert(listed === 1, "OpenSSL 3 has the cipher suites of TLS 1.3");
  if (chooseGroups(library, context.pointer)) return ok(context);
  context.close();
  return err(takeError(library, "SSL_CTX_set1_groups_list"));
}

/** Says which authorities a client trusts. */
export function applyTrust(
  library: OpenSslLibrary,
  options: { readonly context: Deno.PointerObject; readonly trust: TrustOptions },
): Result<undefined, OpenSslError> {
  const { context, trust } = options;
  clearErrors(library);
  if (trust.system && library.ssl.SSL_CTX_set_default_verify_paths(context) !== 1) {
    return err(takeError(library, "SSL_CTX_set_default_verify_paths"));
  }
  if (trust.authorities === undefined) return ok(undefined);
  const authorities = readPemCertificates(library, trust.authorities);
  if (!authorities.ok) return authorities;
  const store = library.ssl.SSL_CTX_get_cert_store(context);
  for (const authority of authorities.value) {
    library.crypto.X509_STORE_add_cert(store, authority.pointer);
    authority.close();
  }
  const parameters = library.ssl.SSL_CTX_get0_param(context);
  library.crypto.X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  return ok(undefined);
}

/** Gives a server its chain and its key, and tells of the certificates, its own first. */
export function applyCredentials(
  library: OpenSslLibrary,
  options: { readonly context: Deno.PointerObject; readonly credentials: ServerCredentials },
): Result<readonly CertificateDescription[], OpenSslError> {
  const { context, credentials } = options;
  const certificates = readPemCertificates(library, credentials.certificateChain);
  if (!certificates.ok) return certificates;
  try {
    const chain = applyChain(library, { context, certificates: certificates.value });
    if (!chain.ok) return chain;
    const key = readPemPrivateKey(library, credentials.privateKey);
    if (!key.ok) return key;
    using owned = key.value;
    const { ssl } = library;
    // The first refuses a key of another kind or value, the second is the check that OpenSSL
    // documents for it.
    if (
      ssl.SSL_CTX_use_PrivateKey(context, owned.pointer) !== 1 ||
      ssl.SSL_CTX_check_private_key(context) !== 1
    ) {
      return err(mismatch(takeError(library, "SSL_CTX_use_PrivateKey")));
    }
    return chain;
  } finally {
    for (const certificate of certificates.value) certificate.close();
  }
}

/**
 * Returns the one callback that answers a client's list of application protocols; it lives as long
 * as the process. What it selects lies in our own list, which lives as long.
 */
export function protocolSelector(library: OpenSslLibrary): Selector {
  selector ??= new Deno.UnsafeCallback(SELECTOR, (_ssl, out, outLength, list, listLength) => {
    // An exception must not pass through OpenSSL's frames, so anything unforeseen ends in the
    // alert.
    if (out === null || outLength === null || list === null || listLength === 0) {
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    const own = NTS_KE_PROTOCOL;
    const select = library.ssl.SSL_select_next_proto;
    const found = select(out, outLength, own, own.length, list, listLength);
    return found === OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  });
  return selector;
}

/**
 * Sees to it that keys, signatures and key exchanges are worth 112 bits at least (RSA of 2048 bits,
 * P-224, no SHA-1): OpenSSL as its makers build it is content with 80. A higher level, which the
 * system's configuration asks for, stays.
 */
export function raiseSecurityLevel(library: OpenSslLibrary, context: Deno.PointerObject): void {
  const { ssl } = library;
  if (ssl.SSL_CTX_get_security_level(context) >= SECURITY_LEVEL_MIN) return;
  ssl.SSL_CTX_set_security_level(context, SECURITY_LEVEL_MIN);
}

// AES-128 first: keys that protect a few kilobytes for a second gain nothing by SHA-384, which
// costs every handshake some 10 %.
const CIPHER_SUITES = toCString(
  "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
);

/**
 * For the exchange of keys, the first that the system's OpenSSL knows: since 3.5 it has a hybrid
 * that a quantum computer does not break, of which as of X25519 a share goes with the first message
 * (`*`); in FIPS mode it has no X25519. Others cost the one who answers far more than the one who
 * asks: the finite fields that OpenSSL offers as well up to 130 ms of the one thread for a message
 * that can be a recorded one.
 */
const GROUPS = [
  "*X25519MLKEM768:*X25519:P-256:P-384",
  "X25519:P-256:P-384",
  "P-256:P-384",
].map(toCString);

const SECURITY_LEVEL_MIN = 2;

/** Takes the first list that the library knows wholly; false when it knows none. */
function chooseGroups(library: OpenSslLibrary, context: Deno.PointerObject): boolean {
  const command = SSL_CTRL_SET_GROUPS_LIST;
  return GROUPS.some((groups) => {
    clearErrors(library);
    const text = Deno.UnsafePointer.of(groups);
    return library.ssl.SSL_CTX_ctrl(context, command, 0n, text) === 1n;
  });
}

function applyChain(
  library: OpenSslLibrary,
  options: {
    readonly context: Deno.PointerObject;
    readonly certificates: readonly OwnedPointer[];
  },
): Result<readonly CertificateDescription[], OpenSslError> {
  const { ssl } = library;
  const [own, ...others] = options.certificates;
  assert(own !== undefined, "A chain that was read has a certificate");
  clearErrors(library);
  if (ssl.SSL_CTX_use_certificate(options.context, own.pointer) !== 1) {
    return err(takeError(library, "SSL_CTX_use_certificate"));
  }
  const chain = options.certificates.map(({ pointer }) => describeCertificate(library, pointer));
  const undated = chain.findIndex(({ notBefore, notAfter }) => Number.isNaN(notBefore + notAfter));
  if (undated >= 0) {
    const message = `Certificate ${undated + 1} of the PEM text has dates that cannot be read`;
    return err({ ...takeError(library, "ASN1_TIME_to_tm"), message });
  }
  for (const other of others) {
    const added = ssl.SSL_CTX_ctrl(options.context, SSL_CTRL_EXTRA_CHAIN_CERT, 0n, other.pointer);
    if (added !== 1n) return err(takeError(library, "SSL_CTX_add_extra_chain_cert"));
    other.giveAway();
  }
  return ok(chain);
}

function mismatch(error: OpenSslError): OpenSslError {
  const message = `Wanted the private key of the first certificate, found another one`;
  return { ...error, message };
}

type Selector = Deno.UnsafeCallback<typeof SELECTOR>;

// int select(SSL *, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
// unsigned int inlen, void *)
const SELECTOR = {
  parameters: ["pointer", "pointer", "pointer", "pointer", "u32", "pointer"],
  result: "i32",
} as const;

let selector: Selector | undefined;
