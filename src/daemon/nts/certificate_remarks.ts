/**
 * What an administrator should know about a server's certificates before its clients find out.
 *
 * The problem: a server shows what it was given, without looking at it; a missing intermediate, or
 * a chain that is about to expire, is seen by clients alone. The idea: sentences about the chain by
 * itself and its dates, to be told when it is read and every day after that. Limits: whom the
 * clients trust is not known here, so a certificate that was signed by a root itself, and is
 * complete, is told of too.
 *
 * @module
 */
import type { CertificateDescription } from "../../../ffi/openssl/mod.ts";
import { formatUtc } from "../../base/utc.ts";
import { NANOSECONDS_PER_SECOND, SECONDS_PER_DAY } from "../../base/units.ts";

/** Renewal is overdue when less than so much of the life is left, and at most so many days. */
const REMAINING_SHARE = 0.2;
const REMAINING_MAX_SECONDS = 14 * SECONDS_PER_DAY;

/**
 * Returns sentences about a chain, the server's own certificate first; none if all is well. `now`
 * in Unix seconds.
 */
export function certificateRemarks(
  chain: readonly CertificateDescription[],
  now: number,
): readonly string[] {
  return [...chainRemarks(chain), ...chain.flatMap((certificate) => endRemarks(certificate, now))];
}

/**
 * Returns why clients refuse a chain by its dates at a time in Unix seconds; undefined while all
 * its certificates are valid.
 */
export function certificateDateFault(
  chain: readonly CertificateDescription[],
  now: number,
): string | undefined {
  return chain.map((certificate) => dateFault(certificate, now)).find((fault) =>
    fault !== undefined
  );
}

function chainRemarks(chain: readonly CertificateDescription[]): readonly string[] {
  const [own, ...others] = chain;
  if (own === undefined) return [];
  if (others.length === 0) {
    if (own.issuer === own.subject) return [];
    return [
      `The certificate of ${own.subject} is shown without that of its issuer, ${own.issuer}: unless that is a root, ` +
      "clients refuse it; give the whole chain (fullchain.pem)",
    ];
  }
  const broken = others.findIndex((issuer, i) => chain[i]?.issuer !== issuer.subject);
  if (broken < 0) return [];
  return [
    `Certificate ${broken + 2} of the chain is that of ${others[broken]?.subject}, ` +
    `wanted that of ${chain[broken]?.issuer}, who issued the one before`,
  ];
}

function endRemarks(
  { subject, notBefore, notAfter }: CertificateDescription,
  now: number,
): readonly string[] {
  const near = Math.min(REMAINING_MAX_SECONDS, REMAINING_SHARE * (notAfter - notBefore));
  if (notAfter - now >= near || now > notAfter) return [];
  const days = Math.floor((notAfter - now) / SECONDS_PER_DAY);
  const end = dateText(notAfter);
  return [`The certificate of ${subject} ends in ${days} days, at ${end}: its renewal is overdue`];
}

function dateFault(
  { subject, notBefore, notAfter }: CertificateDescription,
  now: number,
): string | undefined {
  if (now > notAfter) {
    return `The certificate of ${subject} has expired by this clock, at ${dateText(notAfter)}: ` +
      "clients refuse it; renew it";
  }
  if (now >= notBefore) return undefined;
  return `The certificate of ${subject} is not valid before ${
    dateText(notBefore)
  } by this clock: ` +
    "clients refuse it";
}

function dateText(seconds: number): string {
  return formatUtc(BigInt(seconds) * NANOSECONDS_PER_SECOND);
}
