/**
 * What an authentic response says: the tests of its contents, and the measurement that it makes
 * possible.
 *
 * The idea: a response is tested against the one before it, and an interleaved one completes the
 * exchange before it, so both are remembered here. Limits: what follows for the association (reach,
 * poll interval, counts) is decided by the caller.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { NtpTimestamp } from "../base/ntp_timestamp.ts";
import type { NtpHeader } from "../protocol/header.ts";
import type { DropReason } from "./drop_reason.ts";
import type { DatagramEvent } from "./events.ts";
import { InterleavedClient, type KeptExchange } from "./interleaved.ts";
import type { Measurement, Timestamping } from "./measurement.ts";
import { contentDropReason, makeMeasurement } from "./outcome.ts";
import { isNotDuplicate, isSynchronized } from "./packet_tests.ts";
import { type ServerResponse, worseTimestamping } from "./response.ts";

/** What a response says. */
export type ResponseContent =
  | { readonly kind: "measurement"; readonly measurement: Measurement }
  /** It tells again of an exchange that has been measured. */
  | { readonly kind: "repetition" }
  /** The server says that it has no time. */
  | { readonly kind: "unsynchronized" }
  | { readonly kind: "rejected"; readonly reason: DropReason };

/** Reads the responses of one server, in order. */
export class ResponseContents {
  readonly #interleaved = new InterleavedClient();
  #last: NtpHeader | undefined = undefined;

  /**
   * Returns the origin timestamp of the next request in interleaved mode; `unanswered` requests
   * before it had no response.
   */
  origin(unanswered: number): NtpTimestamp {
    return this.#interleaved.origin(unanswered);
  }

  /** Forgets the exchange that an interleaved response would complete. */
  forgetExchange(): void {
    this.#interleaved.forget();
  }

  /** Reads an authentic response that arrived with `event`. */
  read(response: ServerResponse, event: DatagramEvent): ResponseContent {
    const { header } = response;
    if (!isSynchronized(header)) {
      this.#interleaved.forget();
      this.#last = header;
      return { kind: "unsynchronized" };
    }
    const exchange = this.#exchangeOf(response, event);
    const reason = isNotDuplicate(header, this.#last)
      ? contentDropReason(header, exchange)
      : "duplicate";
    if (reason !== undefined) {
      this.#interleaved.forget();
      return { kind: "rejected", reason };
    }
    // The first interleaved response tells again of the basic exchange before it, which has been
    // measured.
    const isRepetition = response.isInterleaved && this.#interleaved.kept?.measured === true;
    this.#interleaved.keep(keptExchange(response, event));
    this.#last = header;
    if (isRepetition) return { kind: "repetition" };
    return { kind: "measurement", measurement: makeMeasurement(header, exchange) };
  }

  /** Completes the exchange that an interleaved response tells of, or makes one of a basic one. */
  #exchangeOf({ header, isInterleaved }: ServerResponse, event: DatagramEvent) {
    const kept = isInterleaved ? this.#interleaved.kept : undefined;
    assert(isInterleaved === (kept !== undefined), "An interleaved response has a past");
    return {
      originTimestamp: kept?.originTimestamp ?? event.transmitTimestamp,
      receiveTimestamp: kept?.receiveTimestamp ?? header.receiveTimestamp,
      transmitTimestamp: header.transmitTimestamp,
      destinationTimestamp: kept?.destinationTimestamp ?? event.receiveTimestamp,
      timestamping: kept?.timestamping ?? localTimestamping(event),
      interleaved: isInterleaved,
    };
  }
}

/** Returns what an interleaved response to the next request is to complete. */
function keptExchange(
  { header, isInterleaved }: ServerResponse,
  event: DatagramEvent,
): KeptExchange {
  return {
    originTimestamp: event.transmitTimestamp,
    receiveTimestamp: header.receiveTimestamp,
    destinationTimestamp: event.receiveTimestamp,
    timestamping: localTimestamping(event),
    measured: !isInterleaved,
  };
}

/** Says how the less exact of the two local timestamps of an exchange was taken. */
function localTimestamping(event: DatagramEvent): Timestamping {
  return worseTimestamping(event.transmitTimestamping, event.receiveTimestamping);
}
