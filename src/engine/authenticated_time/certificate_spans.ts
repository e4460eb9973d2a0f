/**
 * Whether the time that a source tells can be, by the certificate on which its keys rest.
 *
 * The problem: a server may tell any time, and a certificate that is good for a month says that its
 * owner has no business telling another year. But sessions outlive certificates: keys that were
 * exchanged months ago are still good (RFC 8915 section 5.7). The idea: what a source tells now,
 * less what has elapsed since its keys were exchanged, is the time of the exchange by its own
 * account, and that must lie inside the dates of the whole chain. Limits: keys that an earlier run
 * saved come without a certificate.
 *
 * @module
 */
import { type MonotonicSeconds, type Seconds } from "../../base/units.ts";
import { secondText, type ToldTime } from "./told_time.ts";
import type { ExchangeCertificate } from "../../nts/key_exchange/outcome.ts";

/** By so much, and this part of what has elapsed, a time may lie beyond the dates. */
const SLACK: Seconds = 60;
const SLACK_RATE = 1e-3;

/** Remembers when certificates came. */
export class CertificateSpans {
  readonly #cameAt = new WeakMap<ExchangeCertificate, MonotonicSeconds>();

  /** Notes that there is a certificate, the first time counts. */
  note(certificate: ExchangeCertificate, at: MonotonicSeconds): void {
    if (!this.#cameAt.has(certificate)) this.#cameAt.set(certificate, at);
  }

  /** Says why a time cannot be, in a sentence; undefined when it can. */
  contradictionOf(
    certificate: ExchangeCertificate,
    { time, error, at }: ToldTime,
  ): string | undefined {
    const { notBefore, notAfter } = certificate;
    const elapsed = Math.max(0, at - (this.#cameAt.get(certificate) ?? at));
    const room = error + SLACK + SLACK_RATE * elapsed;
    const exchange = time - elapsed;
    if (exchange + room >= notBefore && exchange - room <= notAfter) return undefined;
    return `Its time, ${secondText(time)}, is outside the validity of its own certificate, from ` +
      `${secondText(notBefore)} to ${secondText(notAfter)}`;
  }
}
