/**
 * What is asked of a selection.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";

/** What is asked of a selection. */
export interface SelectionOptions {
  /** So many sources must agree. */
  readonly minimumAgreeing: number;
  /** Or so many of those that are trusted; only the number of all counts if left out. */
  readonly minimumTrusted?: number | undefined;
  /** So many samples a source must have; 1 if left out. */
  readonly samplesMin?: number;
  /**
   * How large the root distance of a source may be (RFC 5905 section 11.2.1, MAXDIST); not limited
   * if left out.
   */
  readonly distanceMax?: Seconds;
  /** The system peer of the last selection. */
  readonly previous?: number | undefined;
  /** Offset of the joint estimate so far, on the scale of the candidates'; none if left out. */
  readonly estimate?: Seconds | undefined;
  /** Servers from this stratum on are no better than we are without them; none if left out. */
  readonly stratumLimit?: number | undefined;
  /**
   * "require": only authenticated sources are used; "prefer": others only while these give no time.
   * Else it decides nothing.
   */
  readonly authentication?: AuthenticationMode;
  /**
   * Names of the sources of which one must agree, those included that are no candidates yet; those
   * of the candidates that are so marked if left out.
   */
  readonly required?: readonly string[];
  /** Whether the administrator wrote so of some of them; not if left out. */
  readonly isRequireWritten?: boolean;
  /**
   * Says why those that agree are not to be followed although they are a majority, by who agrees on
   * another time; never if left out.
   */
  readonly objection?: (
    agreeing: readonly number[],
    others: readonly number[],
  ) => string | undefined;
}

/** What the administrator makes of authentication. */
export type AuthenticationMode = "require" | "prefer" | "mix" | "ignore";
