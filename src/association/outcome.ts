/**
 * What a response brings: a measurement, and what the server says of itself.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { NtpHeader } from "../protocol/header.ts";
import { type LeapIndicator, leapIndicatorOf } from "../protocol/leap_indicator.ts";
import type { SourceAction } from "./events.ts";
import type { Measurement, Timestamping } from "./measurement.ts";
import type { DropReason } from "./drop_reason.ts";
import {
  type ExchangeTimestamps,
  hasTimestamps,
  isDelayPlausible,
  isNotDuplicate,
  isReferenceTimeSane,
  isRootDistanceSane,
  isServerTimeForward,
  isSynchronized,
} from "./packet_tests.ts";

/** What a server says of itself, from its last response. */
export interface ServerState {
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
  /** Whether the server says that it has the time. */
  readonly isSynchronized: boolean;
}

/** What became of a packet. */
export interface Reception {
  /** What is to be done. */
  readonly actions: readonly SourceAction[];
  /** There when the packet passed all tests. */
  readonly measurement: Measurement | undefined;
}

/** Reads what a server says of itself out of a response. */
export function serverStateOf(header: NtpHeader): ServerState {
  return {
    stratum: header.stratum,
    leapIndicator: leapIndicatorOf(header.leapIndicator),
    referenceId: header.referenceId,
    precision: header.precision,
    rootDelay: header.rootDelay,
    rootDispersion: header.rootDispersion,
    isSynchronized: isSynchronized(header),
  };
}

/** Puts the timestamps of an exchange together with what the server says of itself. */
export function makeMeasurement(
  header: NtpHeader,
  exchange: ExchangeTimestamps & {
    readonly timestamping: Timestamping;
    readonly interleaved: boolean;
  },
): Measurement {
  return {
    ...exchange,
    stratum: header.stratum,
    leapIndicator: leapIndicatorOf(header.leapIndicator),
    referenceId: header.referenceId,
    precision: header.precision,
    rootDelay: header.rootDelay,
    rootDispersion: header.rootDispersion,
  };
}

/**
 * Makes the tests of RFC 5905 figure 22 that look at contents; `last` is the response that was
 * accepted before.
 */
export function contentDropReason(
  header: NtpHeader,
  exchange: ExchangeTimestamps,
  last: NtpHeader | undefined,
): DropReason | undefined {
  if (!isNotDuplicate(header, last)) return "duplicate";
  if (!hasTimestamps(header)) return "zero-timestamp";
  if (!isServerTimeForward(exchange, header.precision)) return "server-time-reversed";
  if (!isDelayPlausible(exchange, header.precision)) return "negative-delay";
  if (!isRootDistanceSane(header)) return "root-distance";
  return isReferenceTimeSane(header) ? undefined : "reference-timestamp";
}
