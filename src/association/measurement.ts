/**
 * What one exchange with a server tells: the product of an association, the input of selection and
 * discipline.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { LeapIndicator } from "../protocol/leap_indicator.ts";
import type { ExchangeTimestamps } from "./exchange.ts";

/** Where a timestamp was taken: by the network interface, by the kernel, or by this program. */
export type Timestamping = "hardware" | "kernel" | "user";

/** What a server says of itself in a response. */
export interface ServerVariables {
  /** 0 to 255, as the wire has it. */
  readonly stratum: number;
  /** What it announces. */
  readonly leapIndicator: LeapIndicator;
  /** What it follows, see `reference_id.ts`. */
  readonly referenceId: number;
  /** An exponent of two seconds. */
  readonly precision: number;
  /** The round trip to its reference clock. */
  readonly rootDelay: Seconds;
  /** The dispersion to its reference clock, when it answered. */
  readonly rootDispersion: Seconds;
}

/** One accepted exchange (RFC 5905 section 8), before any filtering; its stratum is 1 to 15. */
export interface Measurement extends ExchangeTimestamps, ServerVariables {
  /** The worse of the two local timestamps. */
  readonly timestamping: Timestamping;
  /** Whether the exchange was in interleaved mode (RFC 9769). */
  readonly interleaved: boolean;
}
