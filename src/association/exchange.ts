/**
 * Offset and delay from the four timestamps of an exchange (RFC 5905 section 8, theta and delta).
 *
 * @module
 */
import { difference } from "../base/ntp_timestamp.ts";
import type { Seconds } from "../base/units.ts";
import type { ExchangeTimestamps } from "./packet_tests.ts";

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
