/**
 * Whether this machine has a list of certificate authorities at all, because without one every
 * certificate is refused with words that do not say so.
 *
 * Limits: looks at the places where distributions keep the list, and at the variables that OpenSSL
 * knows; what is in the list is OpenSSL's business.
 *
 * @module
 */
import { fileStatus } from "../file/files.ts";
import { environmentVariable } from "../process/process.ts";

/** Debian and Alpine, Red Hat, SUSE, and OpenSSL's own default. */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/usr/lib/ssl/cert.pem",
];

/** What to do on a machine without a list, to follow a sentence. */
export const NO_AUTHORITIES: string =
  "this machine has no list of trusted authorities: install the package ca-certificates, or name a file of certificates in " +
  "certificate-authority";

/**
 * Tells whether there is a list of authorities in one of the usual places, or one was named to
 * OpenSSL.
 */
export function hasAuthorities(): boolean {
  return ["SSL_CERT_FILE", "SSL_CERT_DIR"].some((name) =>
    environmentVariable(name) !== undefined
  ) ||
    isAnyThere(BUNDLES);
}

/** Tells whether any of some files is there and not empty. */
export function isAnyThere(paths: readonly string[]): boolean {
  return paths.some((path) => {
    const found = fileStatus(path);
    // A list that must not be looked at is there.
    return !found.ok || (found.value !== undefined && found.value.size > 0);
  });
}
