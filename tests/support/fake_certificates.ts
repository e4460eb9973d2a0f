/**
 * The certificates of key exchange servers in a simulated world: dates, public keys, and what a
 * daemon makes of them.
 *
 * Exchanges and verifications end as the daemon's do, but for cryptography: what is judged is
 * dates.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { KeysExchangedEvent } from "../../src/association/events.ts";
import { err, ok } from "../../src/base/result.ts";
import type { ActionOf, EventOf } from "../../src/engine/events.ts";
import { exchangeCertificate, exchangeOutcome } from "./nts_sessions.ts";

/** What a certificate is like. */
export interface FakeCertificate {
  notBefore: number;
  notAfter: number;
  identity: string;
}

/** How a key exchange ends. */
export type ExchangeEnd = Omit<KeysExchangedEvent, "type" | "association">;

/** Key exchange servers with their certificates. */
export class FakeCertificates {
  /** The certificate of each host. */
  readonly issued = new Map<string, FakeCertificate>();
  /** Hosts whose key exchange does not answer. */
  readonly mute = new Set<string>();
  /** Why key exchanges failed, in order. */
  readonly failures: string[] = [];

  /** Gives a host a certificate with a key of its own, if it has none. */
  issue(host: string, dates: Omit<FakeCertificate, "identity">): void {
    if (!this.issued.has(host)) this.issued.set(host, { ...dates, identity: host });
  }

  /** Ends a key exchange as the dates of the certificate want it. */
  exchange({ host, dates }: ActionOf<"exchange-keys">): ExchangeEnd {
    const certificate = this.issued.get(host);
    assert.ok(certificate !== undefined, `${host} has no certificate`);
    assert.ok(dates !== undefined, "every exchange says how to judge");
    const fault = dateFault(certificate, dates.now);
    const failure = this.mute.has(host)
      ? "connection refused"
      : certificate.notAfter < (dates.lowerBound ?? 0)
      ? "it ended before a time that has passed"
      : dates.outside === "refuse"
      ? fault
      : undefined;
    if (failure !== undefined) {
      this.failures.push(failure);
      return { result: err(failure) };
    }
    const outcome = exchangeOutcome({
      cookies: [],
      peerAddress: host,
      provisional: fault === undefined ? undefined : "certificate-expired",
      certificate: exchangeCertificate({ ...certificate, host }),
    });
    return { result: ok(outcome) };
  }

  /** Verifies certificates again, at a time. */
  verify(
    { certificates, at }: ActionOf<"verify-certificates">,
  ): EventOf<"certificates-verified">["results"] {
    return certificates.map(({ association, certificate }) => ({
      association,
      reason: dateFault(certificate, at),
    }));
  }
}

function dateFault(
  { notBefore, notAfter }: Pick<FakeCertificate, "notBefore" | "notAfter">,
  at: number,
): string | undefined {
  if (at > notAfter) return "certificate has expired";
  return at < notBefore ? "certificate is not yet valid" : undefined;
}
