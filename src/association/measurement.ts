/**
 * What one exchange with a server tells: the product of an association, the input of selection and
 * discipline.
 *
 * @module
 */
import type { NtpTimestamp } from "../base/ntp_timestamp.ts";
import type { Seconds } from "../base/units.ts";
import type { LeapIndicator } from "../protocol/leap_indicator.ts";

/** Where a timestamp was taken: by the network interface, by the kernel, or by this program. */
export type Timestamping = "hardware" | "kernel" | "user";

/** One accepted exchange (RFC 5905 section 8), before any filtering. */
export interface Measurement {
  /** T1: the request left, by the local clock. */
  readonly originTimestamp: NtpTimestamp;
  /** T2: the request arrived, by the server's clock. */
  readonly receiveTimestamp: NtpTimestamp;
  /** T3: the response left, by the server's clock. */
  readonly transmitTimestamp: NtpTimestamp;
  /** T4: the response arrived, by the local clock. */
  readonly destinationTimestamp: NtpTimestamp;
  /** The worse of the two local timestamps. */
  readonly timestamping: Timestamping;
  /** The server's stratum, 1 to 15. */
  readonly stratum: number;
  /** What the server announces. */
  readonly leapIndicator: LeapIndicator;
  /** What the server follows. */
  readonly referenceId: number;
  /** The server's precision as an exponent of two seconds. */
  readonly precision: number;
  /** The round trip from the server to its reference clock. */
  readonly rootDelay: Seconds;
  /** The dispersion from the server to its reference clock. */
  readonly rootDispersion: Seconds;
  /** Whether the exchange was in interleaved mode (RFC 9769). */
  readonly interleaved: boolean;
}
