/**
 * What an engine is made of.
 *
 * @module
 */
import type { Instant } from "../base/instant.ts";
import type { RandomSource } from "../base/random.ts";
import type { Ppm, Seconds } from "../base/units.ts";
import type { Config } from "../config/config.ts";
import type { CertificateTime } from "./authenticated_time/clock_trust.ts";
import type { Protections } from "./sources/source_set.ts";

/** What an engine is made of. */
export interface EngineOptions {
  /** Changed later by a `reconfigure` event. */
  readonly config: Config;
  /** Drawn from for origin timestamps and poll jitter. */
  readonly random: RandomSource;
  /** The moment of the start; no event may be earlier. */
  readonly now: Instant;
  /** Whether the clock may be adjusted: configured and permitted. */
  readonly mayAdjust: boolean;
  /** Why it may not, for a sentence that goes on with it: "--no-adjust is set". */
  readonly notAdjustedReason?: string | undefined;
  /** The correction that the kernel applies at the start. */
  readonly frequency: Ppm;
  /** The precision of the local clock. */
  readonly clockPrecision: Seconds;
  /** Our own addresses, for the loop test. */
  readonly ownAddresses: readonly string[];
  /** What authenticates packets; without it only plain sources work. */
  readonly protections?: Protections;
  /** What is known of the clock for judging certificates; it is trusted when left out. */
  readonly certificateTime?: CertificateTime;
}
