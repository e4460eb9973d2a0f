/**
 * What associations and sources must know of their `[[source]]` section.
 *
 * @module
 */
import type { PollExponent } from "../base/units.ts";

/** How often requests may be sent: the poll exponent, from the least to the largest. */
export interface PollLimits {
  /** The most often. */
  readonly min: PollExponent;
  /** The least often. */
  readonly max: PollExponent;
}

/** The configuration of one association. */
export interface AssociationConfig {
  /** The host as written, for key exchanges. */
  readonly host: string;
  /** The port as written; with Network Time Security that of the key exchange. */
  readonly port: number;
  /** A file of certificates to trust instead of the system's, for key exchanges. */
  readonly certificateAuthority: string | undefined;
  /** Algorithm numbers in order of preference; empty means the default order. */
  readonly aeadAlgorithms: readonly number[];
  /** Whether it begins with a burst. */
  readonly iburst: boolean;
  /** How often requests may be sent. */
  readonly pollIntervalLimits: PollLimits;
  /** The poll exponent to begin with. */
  readonly initialPollInterval: PollExponent;
  /** Whether interleaved mode is tried (RFC 9769). */
  readonly interleaved: boolean;
}

/** The configuration of one source. */
export interface SourceGroupConfig extends AssociationConfig {
  /** Whether it has one member or several, and how they begin. */
  readonly mode: "server" | "pool" | "nts" | "nts-pool";
  /** The address as written, for messages. */
  readonly address: string;
  /** How many live members are kept. */
  readonly count: number;
  /** Numeric addresses that are not used. */
  readonly ignore: readonly string[];
}
