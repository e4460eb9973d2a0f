/**
 * The client's side of interleaved mode (RFC 9769 section 2).
 *
 * The problem: a server cannot write into a response when that response leaves. The idea: it tells
 * so in its next response; the client keeps the timestamps of one exchange until then. A
 * measurement is therefore one poll interval old and made of T1, T2 and T4 of the last exchange and
 * the T3 that has come since. Limits: memory for one exchange; after some requests without response
 * it is given up and the next exchange is basic, as with a server that does not know the mode.
 *
 * @module
 */
import { type NtpTimestamp, ZERO_TIMESTAMP } from "../base/ntp_timestamp.ts";
import type { Timestamping } from "./measurement.ts";

/** After this many requests without response the kept exchange is of no use any more. */
const UNANSWERED_MAX = 4;

/** What is kept of the last answered exchange. */
export interface KeptExchange {
  /** T1, by the local clock. */
  readonly originTimestamp: NtpTimestamp;
  /** T2, by the server's clock; the next request repeats it. */
  readonly receiveTimestamp: NtpTimestamp;
  /** T4, by the local clock. */
  readonly destinationTimestamp: NtpTimestamp;
  /** How the local timestamps were taken. */
  readonly timestamping: Timestamping;
  /** Whether a measurement was made of it already, with the T3 of a basic response. */
  readonly measured: boolean;
}

/** The memory of one exchange. */
export class InterleavedClient {
  #kept: KeptExchange | undefined = undefined;

  /** The exchange that an interleaved response completes. */
  get kept(): KeptExchange | undefined {
    return this.#kept;
  }

  /** The origin timestamp of the next request; zero asks for a basic response. */
  origin(unanswered: number): NtpTimestamp {
    if (unanswered >= UNANSWERED_MAX) this.#kept = undefined;
    return this.#kept?.receiveTimestamp ?? ZERO_TIMESTAMP;
  }

  /** Keeps the exchange that was just answered. */
  keep(exchange: KeptExchange): void {
    this.#kept = exchange;
  }

  /** Forgets, because the local clock was stepped or the response was unusable. */
  forget(): void {
    this.#kept = undefined;
  }
}
