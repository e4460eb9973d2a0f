/**
 * Certificates for tests, made in memory by the system's OpenSSL: any key, any names, any dates,
 * any issuer. No file and no command, so that tests need no more permission than the daemon.
 *
 * @module
 */
import { assert, present } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { openSslLibrary } from "../../ffi/openssl/library.ts";

/** The kinds of keys that servers use. */
export type KeyKind = "rsa-2048" | "p-256" | "p-384" | "ed25519";

/** What a certificate shall say. */
export interface CertificateWish {
  /** Common name of the subject. */
  readonly commonName: string;
  /** Alternative names as "DNS:localhost" and "IP:127.0.0.1"; none by default. */
  readonly names?: readonly string[];
  /** Kind of the key; p-256 by default. */
  readonly key?: KeyKind;
  /** A certificate whose key this one is for too; a new key by default. */
  readonly keyOf?: TestCertificate;
  /** First second of validity in Unix seconds, or no date; an hour ago by default. */
  readonly notBefore?: number | "unreadable";
  /** Last second of validity in Unix seconds, or no date; in a day by default. */
  readonly notAfter?: number | "unreadable";
  /** Whether it may issue others; not by default. */
  readonly authority?: boolean;
  /** Who signs; itself by default. */
  readonly issuer?: TestCertificate;
}

/** A certificate and its key, in PEM; the pointers live as long as the process. */
export interface TestCertificate {
  /** The certificate. */
  readonly certificate: Bytes;
  /** The private key. */
  readonly privateKey: Bytes;
  /** Pointers for issuing others. */
  readonly handles: { readonly x509: Deno.PointerObject; readonly key: Deno.PointerObject };
}

// Before any other call of OpenSSL in this process: it keeps OpenSSL from cleaning up at exit. The
// runtime does not wait at exit for the threads of other test files to end, and both would free the
// same memory.
assert(openSslLibrary().ok, "OpenSSL 3 is installed");

const library = Deno.dlopen("libcrypto.so.3", {
  EVP_PKEY_CTX_new_from_name: { parameters: ["pointer", "buffer", "pointer"], result: "pointer" },
  EVP_PKEY_keygen_init: { parameters: ["pointer"], result: "i32" },
  EVP_PKEY_CTX_set_group_name: { parameters: ["pointer", "buffer"], result: "i32" },
  EVP_PKEY_CTX_set_rsa_keygen_bits: { parameters: ["pointer", "i32"], result: "i32" },
  EVP_PKEY_generate: { parameters: ["pointer", "buffer"], result: "i32" },
  EVP_PKEY_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_sha256: { parameters: [], result: "pointer" },
  EVP_aes_128_cbc: { parameters: [], result: "pointer" },
  X509_new: { parameters: [], result: "pointer" },
  X509_set_version: { parameters: ["pointer", "i64"], result: "i32" },
  X509_get_serialNumber: { parameters: ["pointer"], result: "pointer" },
  ASN1_INTEGER_set_uint64: { parameters: ["pointer", "u64"], result: "i32" },
  X509_getm_notBefore: { parameters: ["pointer"], result: "pointer" },
  X509_getm_notAfter: { parameters: ["pointer"], result: "pointer" },
  ASN1_TIME_set: { parameters: ["pointer", "i64"], result: "pointer" },
  ASN1_STRING_set: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  X509_get_subject_name: { parameters: ["pointer"], result: "pointer" },
  X509_set_issuer_name: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_NAME_add_entry_by_txt: {
    parameters: ["pointer", "buffer", "i32", "buffer", "i32", "i32", "i32"],
    result: "i32",
  },
  X509_set_pubkey: { parameters: ["pointer", "pointer"], result: "i32" },
  X509V3_EXT_nconf_nid: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "pointer" },
  X509_add_ext: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
  X509_EXTENSION_free: { parameters: ["pointer"], result: "void" },
  X509_sign: { parameters: ["pointer", "pointer", "pointer"], result: "i32" },
  BIO_s_mem: { parameters: [], result: "pointer" },
  BIO_new: { parameters: ["pointer"], result: "pointer" },
  BIO_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  BIO_free: { parameters: ["pointer"], result: "i32" },
  PEM_write_bio_X509: { parameters: ["pointer", "pointer"], result: "i32" },
  PEM_write_bio_PKCS8PrivateKey: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "i32", "pointer", "pointer"],
    result: "i32",
  },
});
const crypto = library.symbols;

const NID_BASIC_CONSTRAINTS = 87;
const NID_SUBJECT_ALT_NAME = 85;
let serial = 1n;

/** Makes a key and a certificate for it. */
export function makeCertificate(wish: CertificateWish): TestCertificate {
  const now = Math.floor(Date.now() / 1000);
  const key = wish.keyOf?.handles.key ?? makeKey(wish.key ?? "p-256");
  const x509 = present(crypto.X509_new(), "X509_new");
  crypto.X509_set_version(x509, 2n);
  crypto.ASN1_INTEGER_set_uint64(crypto.X509_get_serialNumber(x509), serial++);
  setTime(crypto.X509_getm_notBefore(x509), wish.notBefore ?? now - 3600);
  setTime(crypto.X509_getm_notAfter(x509), wish.notAfter ?? now + 86_400);
  const subject = crypto.X509_get_subject_name(x509);
  const mbstringUtf8 = 0x1000;
  const name = cString(wish.commonName);
  crypto.X509_NAME_add_entry_by_txt(subject, cString("CN"), mbstringUtf8, name, -1, -1, 0);
  const issuer = wish.issuer?.handles.x509 ?? x509;
  crypto.X509_set_issuer_name(x509, crypto.X509_get_subject_name(issuer));
  crypto.X509_set_pubkey(x509, key);
  addExtension(x509, NID_BASIC_CONSTRAINTS, wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (wish.names?.length) addExtension(x509, NID_SUBJECT_ALT_NAME, wish.names.join(","));
  const signer = wish.issuer?.handles.key ?? key;
  const digest = signer === key && wish.key === "ed25519" ? null : crypto.EVP_sha256();
  assert(crypto.X509_sign(x509, signer, digest) > 0, "X509_sign");
  return {
    certificate: written((stream) => crypto.PEM_write_bio_X509(stream, x509)),
    privateKey: written((stream) =>
      crypto.PEM_write_bio_PKCS8PrivateKey(stream, key, null, null, 0, null, null)
    ),
    handles: { x509, key },
  };
}

/** Writes the private key of a certificate in PEM, protected by a pass phrase. */
export function protectedKey({ handles }: TestCertificate, passPhrase: string): Bytes {
  const phrase = new TextEncoder().encode(passPhrase);
  return written((stream) =>
    crypto.PEM_write_bio_PKCS8PrivateKey(
      stream,
      handles.key,
      crypto.EVP_aes_128_cbc(),
      Deno.UnsafePointer.of(phrase),
      phrase.length,
      null,
      null,
    )
  );
}

function makeKey(kind: KeyKind): Deno.PointerObject {
  const algorithm = kind === "rsa-2048" ? "RSA" : kind === "ed25519" ? "ED25519" : "EC";
  const context = crypto.EVP_PKEY_CTX_new_from_name(null, cString(algorithm), null);
  assert(crypto.EVP_PKEY_keygen_init(context) === 1, "EVP_PKEY_keygen_init");
  if (kind === "rsa-2048") crypto.EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048);
  if (algorithm === "EC") {
    const group = kind === "p-256" ? "P-256" : "P-384";
    assert(crypto.EVP_PKEY_CTX_set_group_name(context, cString(group)) === 1, "group");
  }
  const cell = new BigUint64Array(1);
  assert(crypto.EVP_PKEY_generate(context, cell) === 1, "EVP_PKEY_generate");
  crypto.EVP_PKEY_CTX_free(context);
  return present(Deno.UnsafePointer.create(cell[0] ?? 0n), "key");
}

function setTime(place: Deno.PointerValue, time: number | "unreadable"): void {
  crypto.ASN1_TIME_set(place, time === "unreadable" ? 0n : BigInt(time));
  if (time !== "unreadable") return;
  const text = cString("99xx01000000Z");
  assert(crypto.ASN1_STRING_set(place, text, text.length - 1) === 1, "ASN1_STRING_set");
}

function addExtension(x509: Deno.PointerObject, nid: number, value: string): void {
  const extension = crypto.X509V3_EXT_nconf_nid(null, null, nid, cString(value));
  assert(extension !== null, `extension ${value}`);
  crypto.X509_add_ext(x509, extension, -1);
  crypto.X509_EXTENSION_free(extension);
}

function written(write: (stream: Deno.PointerObject) => number): Bytes {
  const stream = present(crypto.BIO_new(crypto.BIO_s_mem()), "BIO");
  assert(write(stream) === 1, "PEM is written");
  const buffer = new Uint8Array(16_384);
  const length = crypto.BIO_read(stream, buffer, buffer.length);
  crypto.BIO_free(stream);
  return buffer.slice(0, length);
}

function cString(text: string): Bytes {
  return new TextEncoder().encode(`${text}\0`);
}
