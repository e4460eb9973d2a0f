/**
 * What a response brings: a measurement, and what the server says of itself.
 *
 * @module
 */
import type { NtpHeader } from "../protocol/header.ts";
import { leapIndicatorOf } from "../protocol/leap_indicator.ts";
import type { SourceAction } from "./events.ts";
import type { ExchangeTimestamps } from "./exchange.ts";
import type { Measurement, ServerVariables } from "./measurement.ts";
import type { DropReason } from "./drop_reason.ts";
import {
  hasTimestamps,
  isDelayPlausible,
  isReferenceTimeSane,
  isRootDistanceSane,
  isServerTimeForward,
  isSynchronized,
} from "./packet_tests.ts";

/** What a server says of itself, from its last response. */
export interface ServerState extends ServerVariables {
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
  return { ...serverVariablesOf(header), isSynchronized: isSynchronized(header) };
}

/** Puts the timestamps of an exchange together with what the server says of itself. */
export function makeMeasurement(
  header: NtpHeader,
  exchange: ExchangeTimestamps & Pick<Measurement, "timestamping" | "interleaved">,
): Measurement {
  return { ...exchange, ...serverVariablesOf(header) };
}

/**
 * Makes those tests of RFC 5905 figure 22 that look at the contents of a response by itself.
 */
export function contentDropReason(
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
