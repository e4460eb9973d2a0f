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
import { leapIndicatorOf } from "../protocol/leap_indicator.ts";
import type { DropReason } from "./drop_reason.ts";
import type { DatagramEvent } from "./events.ts";
import type { ExchangeTimestamps } from "./exchange.ts";
import { InterleavedClient, type KeptExchange } from "./interleaved.ts";
import type { Measurement, ServerVariables, Timestamping } from "./measurement.ts";
import {
  hasTimestamps,
  isDelayPlausible,
  isNotDuplicate,
  isReferenceTimeSane,
  isRootDistanceSane,
  isServerTimeForward,
  isSynchronized,
} from "./packet_tests.ts";
import { type ServerResponse, worseTimestamping } from "./response.ts";

/** What a response says. */
export type ResponseContent =
  | { readonly kind: "measurement"; readonly measurement: Measurement }
  /** It tells again of an exchange that has been measured. */
  | { readonly kind: "repetition" }
  /** The server says that it has no time. */
  | { readonly kind: "unsynchronized" }
  | { readonly kind: "rejected"; readonly reason: DropReason };

/** What a server says of itself, from its last response. */
export interface ServerState extends ServerVariables {
  /** Whether the server says that it has the time. */
  readonly isSynchronized: boolean;
  /** When its clock was last set, by its own clock. */
  readonly referenceTimestamp: NtpTimestamp;
}

/** Reads what a server says of itself out of a response. */
export function serverStateOf(header: NtpHeader): ServerState {
  const { referenceTimestamp } = header;
  return {
    ...serverVariablesOf(header),
    isSynchronized: isSynchronized(header),
    referenceTimestamp,
  };
}

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

/** Puts the timestamps of an exchange together with what the server says of itself. */
function makeMeasurement(
  header: NtpHeader,
  exchange: ExchangeTimestamps & Pick<Measurement, "timestamping" | "interleaved">,
): Measurement {
  return { ...exchange, ...serverVariablesOf(header) };
}

/**
 * Makes those tests of RFC 5905 figure 22 that look at the contents of a response by itself.
 */
function contentDropReason(
  header: NtpHeader,
  exchange: ExchangeTimestamps,
): DropReason | undefined {
  if (!hasTimestamps(header)) return "zero-timestamp";
  if (!isServerTimeForward(exchange, header.precision)) return "server-time-reversed";
  if (!isDelayPlausible(exchange, header.precision)) return "negative-delay";
  if (!isRootDistanceSane(header)) return "root-distance";
  return isReferenceTimeSane(header) ? undefined : "reference-timestamp";
}

function serverVariablesOf(header: NtpHeader): ServerVariables {
  return {
    stratum: header.stratum,
    leapIndicator: leapIndicatorOf(header.leapIndicator),
    referenceId: header.referenceId,
    precision: header.precision,
    rootDelay: header.rootDelay,
    rootDispersion: header.rootDispersion,
  };
}
