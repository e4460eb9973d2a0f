/**
 * Network Time Security for `ntpsd query`: one key exchange for each host, then protected requests.
 *
 * @module
 */
import { readFile } from "../../../ffi/file/files.ts";
import { OpenSsl, type TlsClientContext } from "../../../ffi/openssl/mod.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Seconds } from "../../base/units.ts";
import { NTS_KE_PORT } from "../../base/ports.ts";
import { exchangeKeys } from "../../system/nts_ke_client.ts";
import { openSslAeadFactory } from "../../system/openssl_aead.ts";
import { type ProtectionReason, SessionProtection } from "../../nts/client/session_protection.ts";
import type { KeyExchangeOutcome } from "../../nts/key_exchange/outcome.ts";
import { randomSource } from "../../system/random.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import type { Authenticate, Authentication } from "./authentication.ts";
import type { QueryProtection } from "./queried_server.ts";

/** How NTS is done. */
export interface NtsOptions {
  /** A file of certificates to trust beside the system's. */
  readonly authority: string | undefined;
  /** How long one key exchange may take. */
  readonly timeout: Seconds;
}

/** Why NTS cannot be done at all. */
export interface NtsFailure {
  /** A sentence. */
  readonly message: string;
  /** With what the command ends. */
  readonly exitCode: ExitCode;
}

const CERTIFICATES_MAX = 1 << 20;

/** Opens OpenSSL and the trusted certificates, and returns what authenticates a host. */
export function openNts(options: NtsOptions): Result<Authenticate, NtsFailure> {
  const openssl = OpenSsl.open();
  if (!openssl.ok) {
    const hint = openssl.error.hint === undefined ? "" : `; ${openssl.error.hint}`;
    return err({ message: `${openssl.error.message}${hint}`, exitCode: EXIT.unavailable });
  }
  const trusted = trustedContext(openssl.value, options.authority);
  if (!trusted.ok) return trusted;
  return ok(async (host, port) => {
    const exchanged = await exchangeKeys({
      openssl: openssl.value,
      context: trusted.value,
      host,
      port: port ?? NTS_KE_PORT,
      dates: { now: Date.now() / 1000, outside: "refuse" },
      timeoutMs: options.timeout * 1000,
    });
    if (!exchanged.ok) return err(exchanged.error.message);
    return ok(authentication(exchanged.value, { openssl: openssl.value, host }));
  });
}

/** Opens what the system trusts, and the certificates of a file if one is named. */
function trustedContext(
  openssl: OpenSsl,
  file: string | undefined,
): Result<TlsClientContext, NtsFailure> {
  const authorities = file === undefined ? undefined : readFile(file, CERTIFICATES_MAX);
  if (authorities?.ok === false) {
    return err({ message: authorities.error.message, exitCode: EXIT.io });
  }
  const context = openssl.clientContext({
    system: true,
    ...(authorities === undefined ? {} : { authorities: authorities.value }),
  });
  if (context.ok) return context;
  const place = file === undefined ? "" : ` (${file})`;
  return err({ message: `${context.error.message}${place}`, exitCode: EXIT.config });
}

function authentication(
  exchanged: KeyExchangeOutcome,
  { openssl, host }: { readonly openssl: OpenSsl; readonly host: string },
): Authentication {
  const { aeadId, alternativeKeys, cookies, ntpServer, ntpPort, certificate } = exchanged;
  const aead = openSslAeadFactory(openssl);
  const session = SessionProtection.fromExchange(exchanged, { aead, random: randomSource, now: 0 });
  return {
    protection: protectionOf(session),
    aead: aeadId,
    spareTries: alternativeKeys === undefined ? 0 : 1,
    host: ntpServer ?? host,
    port: ntpPort,
    facts: {
      keyExchange: exchanged.peerAddress,
      cookies: cookies.length,
      certificateSubject: certificate.leaf.subject,
      certificateExpires: new Date(certificate.leaf.notAfter * 1000).toISOString(),
    },
  };
}

/** Leaves key exchanges to the command, and keeps the reason that a sentence needs. */
function protectionOf(session: SessionProtection): QueryProtection {
  let reason: ProtectionReason | undefined;
  return {
    authentication: session.authentication,
    protect: (header, random) => session.protect(header, random),
    verify(packet, uniqueIdentifier) {
      const verified = session.verify(packet, uniqueIdentifier);
      reason = verified.ok ? undefined : verified.error;
      return verified;
    },
    get reason() {
      return reason;
    },
  };
}
