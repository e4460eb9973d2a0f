/**
 * The four timestamps of an exchange, and its offset and delay (RFC 5905 section 8, theta and
 * delta).
 *
 * @module
 */
import { difference, type NtpTimestamp } from "../base/ntp_timestamp.ts";
import type { Seconds } from "../base/units.ts";

/** The four timestamps of an exchange, T1 to T4. */
export interface ExchangeTimestamps {
  /** T1: the request left, by the local clock. */
  readonly originTimestamp: NtpTimestamp;
  /** T2: the request arrived, by the server's clock. */
  readonly receiveTimestamp: NtpTimestamp;
  /** T3: the response left, by the server's clock. */
  readonly transmitTimestamp: NtpTimestamp;
  /** T4: the response arrived, by the local clock. */
  readonly destinationTimestamp: NtpTimestamp;
}

/** What one exchange shows. */
export interface OffsetAndDelay {
  /** Positive when the server is ahead. */
  readonly offset: Seconds;
  /** The round trip without the server's part; a coarse clock may make it negative. */
  readonly delay: Seconds;
}

/**
 * Computes both; `corrections` are added to the local clock when the request left and when the
 * response arrived.
 */
export function offsetAndDelay(
  exchange: ExchangeTimestamps,
  corrections: { readonly sent: Seconds; readonly arrived: Seconds } = { sent: 0, arrived: 0 },
): OffsetAndDelay {
  const there = difference(exchange.receiveTimestamp, exchange.originTimestamp) - corrections.sent;
  const back = difference(exchange.transmitTimestamp, exchange.destinationTimestamp) -
    corrections.arrived;
  return { offset: 0.5 * (there + back), delay: there - back };
}
