/**
 * How the dates of certificates are judged in a key exchange, by a clock that may itself be wrong
 * (RFC 8915 section 8.5).
 *
 * @module
 */
import type { UnixSeconds } from "../../base/units.ts";

/** How the dates of certificates are judged in one key exchange. */
export interface CertificateDatePolicy {
  /** The time by the local clock. */
  readonly now: UnixSeconds;
  /**
   * What happens to a certificate whose only fault is that `now` is outside its dates: it is
   * refused, or accepted and marked so in the outcome.
   */
  readonly outside: "refuse" | "accept-provisionally";
  /**
   * A time that has certainly passed: a certificate that ended before it is refused always; left
   * out when none is known.
   */
  readonly lowerBound?: UnixSeconds;
  /**
   * What can be done if that time is wrong, to be put behind a sentence; left out when nothing can.
   */
  readonly boundAdvice?: string;
}
