/**
 * Certificates and private keys in memory: reading PEM and DER, and telling what a certificate says
 * of itself.
 *
 * Limits: at most 4,096 certificates a file; private keys protected by a pass phrase are refused (a
 * daemon cannot ask); at most 64 alternative names are told.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { TM } from "../headers/time.ts";
import {
  ERR_LIB_PEM,
  NID_subject_alt_name,
  PEM_R_NO_START_LINE,
  XN_FLAG_RFC2253,
} from "./constants.ts";
import {
  clearErrors,
  cString,
  type OpenSslError,
  type OpenSslLibrary,
  takeError,
  toCString,
} from "./library.ts";
import { OwnedPointer } from "./owned_pointer.ts";

/** What a certificate says of itself. */
export interface CertificateDescription {
  /** Distinguished name of the subject, most specific part first (RFC 4514). */
  readonly subject: string;
  /** Distinguished name of the issuer, most specific part first (RFC 4514). */
  readonly issuer: string;
  /** First second of validity, in Unix seconds; not a number if it cannot be read. */
  readonly notBefore: number;
  /** Last second of validity, in Unix seconds; not a number if it cannot be read. */
  readonly notAfter: number;
  /** Alternative names as "DNS:time.example" and "IP Address:192.0.2.1". */
  readonly alternativeNames: readonly string[];
}

const CERTIFICATES_MAX = 4096;
const NAMES_MAX = 64;
/** An error number is that of its library, then 23 bits for the reason. */
const PEM_NO_START_LINE = ERR_LIB_PEM << 23 | PEM_R_NO_START_LINE;
// Given as the pass phrase, so that OpenSSL never asks at the terminal.
const NO_PASS_PHRASE = toCString("");
/** The two forms of a key that a pass phrase protects: PKCS #8, and that before it. */
const PROTECTED_KEY = /^(-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m;

/**
 * Reads all certificates of a PEM text, in their order; the caller owns them. It is an error when
 * there is none.
 */
export function readPemCertificates(
  library: OpenSslLibrary,
  pem: Bytes,
): Result<readonly OwnedPointer[], OpenSslError> {
  const { crypto } = library;
  clearErrors(library);
  using stream = memoryStream(library, pem);
  const certificates: OwnedPointer[] = [];
  while (certificates.length < CERTIFICATES_MAX) {
    const pointer = crypto.PEM_read_bio_X509(stream.pointer, null, null, NO_PASS_PHRASE);
    if (pointer === null) break;
    certificates.push(ownCertificate(library, pointer));
  }
  const error = takeError(library, "PEM_read_bio_X509");
  if (certificates.length > 0 && error.code === PEM_NO_START_LINE) return ok(certificates);
  for (const certificate of certificates) certificate.close();
  if (certificates.length === CERTIFICATES_MAX) {
    return err({ ...error, message: `Wanted at most ${CERTIFICATES_MAX - 1} certificates` });
  }
  return err(certificateError(error, certificates.length + 1));
}

/** Reads the first private key of a PEM text; the caller owns it. */
export function readPemPrivateKey(
  library: OpenSslLibrary,
  pem: Bytes,
): Result<OwnedPointer, OpenSslError> {
  const { crypto } = library;
  clearErrors(library);
  using stream = memoryStream(library, pem);
  const pointer = crypto.PEM_read_bio_PrivateKey(stream.pointer, null, null, NO_PASS_PHRASE);
  if (pointer === null) return err(keyError(takeError(library, "PEM_read_bio_PrivateKey"), pem));
  const free = (key: Deno.PointerObject) => crypto.EVP_PKEY_free(key);
  return ok(new OwnedPointer("EVP_PKEY", { pointer, free }));
}

/** Reads one certificate in DER; the caller owns it. */
export function readDerCertificate(
  library: OpenSslLibrary,
  der: Bytes,
): Result<OwnedPointer, OpenSslError> {
  clearErrors(library);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(der));
  const place = new BigUint64Array([address]);
  const pointer = library.crypto.d2i_X509(null, place, BigInt(der.length));
  if (pointer === null) return err(takeError(library, "d2i_X509"));
  return ok(ownCertificate(library, pointer));
}

/** Writes a certificate in DER. */
export function toDer(library: OpenSslLibrary, certificate: Deno.PointerObject): Bytes {
  return writeDer((into) => library.crypto.i2d_X509(certificate, into));
}

/** Writes the public key of a certificate with its algorithm (SubjectPublicKeyInfo) in DER. */
export function publicKeyDer(library: OpenSslLibrary, certificate: Deno.PointerObject): Bytes {
  const key = library.crypto.X509_get_X509_PUBKEY(certificate);
  return writeDer((into) => library.crypto.i2d_X509_PUBKEY(key, into));
}

/** Tells what a certificate says of itself. */
export function describeCertificate(
  library: OpenSslLibrary,
  certificate: Deno.PointerObject,
): CertificateDescription {
  const { crypto } = library;
  return {
    subject: nameText(library, crypto.X509_get_subject_name(certificate)),
    issuer: nameText(library, crypto.X509_get_issuer_name(certificate)),
    notBefore: unixSeconds(library, crypto.X509_get0_notBefore(certificate)),
    notAfter: unixSeconds(library, crypto.X509_get0_notAfter(certificate)),
    alternativeNames: alternativeNames(library, certificate),
  };
}

/** Asks how long it will be, then has it written to a place. */
function writeDer(write: (place: BigUint64Array<ArrayBuffer> | null) => number): Bytes {
  const length = write(null);
  assert(length > 0, "What was read can be written");
  const der = new Uint8Array(length);
  const place = new BigUint64Array([Deno.UnsafePointer.value(Deno.UnsafePointer.of(der))]);
  assert(write(place) === length, "DER has the length announced");
  return der;
}

/** Takes over a reference to a certificate. */
export function ownCertificate(
  library: OpenSslLibrary,
  pointer: Deno.PointerValue,
): OwnedPointer {
  const free = (certificate: Deno.PointerObject) => library.crypto.X509_free(certificate);
  return new OwnedPointer("X509", { pointer, free });
}

/**
 * Makes a stream that reads `content`, which must not be moved or changed while the stream lives,
 * or takes what is written.
 */
function memoryStream(library: OpenSslLibrary, content?: Bytes): OwnedPointer {
  const { crypto } = library;
  const pointer = content === undefined || content.length === 0
    ? crypto.BIO_new(crypto.BIO_s_mem())
    : crypto.BIO_new_mem_buf(content, content.length);
  return new OwnedPointer("BIO", { pointer, free: (stream) => crypto.BIO_free(stream) });
}

/** Says what is wrong with a PEM text of which OpenSSL reads no private key. */
function keyError(error: OpenSslError, pem: Bytes): OpenSslError {
  if (PROTECTED_KEY.test(new TextDecoder().decode(pem))) {
    const message = "The private key is protected by a pass phrase, which a daemon cannot ask for";
    return { ...error, message, hint: 'write it without by "openssl pkey -in FILE -out NEW-FILE"' };
  }
  // OSSL_DECODER says "unsupported" where there is no key at all.
  return error.code === PEM_NO_START_LINE || error.name === "unsupported"
    ? notPem(error, "private key")
    : { ...error, message: `Cannot read the private key: ${error.name}` };
}

function certificateError(error: OpenSslError, number: number): OpenSslError {
  if (error.code === PEM_NO_START_LINE) return notPem(error, "certificate");
  // OpenSSL gives no reason for some texts, such as one with an empty line in it.
  const reason = error.code === 0 ? "an empty or damaged line in it" : error.name;
  return { ...error, message: `Cannot read certificate ${number} of the PEM text: ${reason}` };
}

function notPem(error: OpenSslError, what: string): OpenSslError {
  return { ...error, message: `Wanted a ${what} in PEM, found none` };
}

function nameText(library: OpenSslLibrary, name: Deno.PointerValue): string {
  using stream = memoryStream(library);
  library.crypto.X509_NAME_print_ex(stream.pointer, name, 0, XN_FLAG_RFC2253);
  return takeText(library, stream);
}

function takeText(library: OpenSslLibrary, stream: OwnedPointer): string {
  const text = new Uint8Array(1024);
  const length = library.crypto.BIO_read(stream.pointer, text, text.length);
  return new TextDecoder().decode(text.subarray(0, Math.max(0, length)));
}

/** Reads an ASN1_TIME by way of `struct tm`. */
function unixSeconds(library: OpenSslLibrary, time: Deno.PointerValue): number {
  const tm = new Uint8Array(TM.sizeof);
  if (library.crypto.ASN1_TIME_to_tm(time, tm) !== 1) return Number.NaN;
  const view = new DataView(tm.buffer);
  const [year = 0, ...rest] = [TM.tm_year, TM.tm_mon, TM.tm_mday, TM.tm_hour, TM.tm_min, TM.tm_sec]
    .map((at) => view.getInt32(at, true));
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = rest;
  return Date.UTC(1900 + year, month, day, hour, minute, second) / 1000;
}

function alternativeNames(
  library: OpenSslLibrary,
  certificate: Deno.PointerObject,
): readonly string[] {
  const { crypto } = library;
  const names = crypto.X509_get_ext_d2i(certificate, NID_subject_alt_name, null, null);
  if (names === null) return [];
  using owned = new OwnedPointer("GENERAL_NAMES", {
    pointer: names,
    free: (stack) => crypto.GENERAL_NAMES_free(stack),
  });
  const count = Math.min(NAMES_MAX, crypto.OPENSSL_sk_num(owned.pointer));
  return Array.from({ length: count }, (_, i) => {
    using stream = memoryStream(library);
    crypto.GENERAL_NAME_print(stream.pointer, crypto.OPENSSL_sk_value(owned.pointer, i));
    return takeText(library, stream);
  });
}

/** Copies a C string that OpenSSL keeps; for messages. */
export function verificationText(library: OpenSslLibrary, code: number): string {
  return cString(library.crypto.X509_verify_cert_error_string(BigInt(code)));
}
