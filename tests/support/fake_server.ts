/**
 * Time servers of a simulated world, whose ways tests change as they go.
 *
 * @module
 */
import assert from "node:assert/strict";
import { addSeconds, type NtpTimestamp, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { decodeHeader, emptyHeader, encodeHeader } from "../../src/protocol/header.ts";
import { LEAP, type LeapIndicator } from "../../src/protocol/leap_indicator.ts";
import { referenceIdOfAddress } from "../../src/protocol/reference_id.ts";

/** What a server does; tests change it as they go. */
export interface FakeServer {
  /** What its clock shows more than true time, in seconds. */
  error: number;
  /** The round trip, in seconds; both directions take half. */
  delay: number;
  /** Whether requests are lost. */
  isSilent: boolean;
  /** Whether requests cannot leave the machine for want of a route. */
  hasNoRoute: boolean;
  /** The version of its responses. */
  version: number;
  /** What follows the header. */
  tail: Uint8Array;
  /** Whether responses do not repeat the number of the request. */
  badOrigin: boolean;
  stratum: number;
  leap: LeapIndicator;
  rootDelay: number;
  rootDispersion: number;
  referenceId: number;
  /** An exponent of two seconds. */
  precision: number;
  /** Whether timestamps are cut to that precision. */
  isCoarse: boolean;
  /**
   * What the round trip takes longer each time: drawn from 0 to so much, and all of it on the way
   * back.
   */
  queue: number;
}

/** Describes a server that is right, 10 ms away. */
export function fakeServer(address: string): FakeServer {
  return {
    error: 0,
    delay: 0.01,
    isSilent: false,
    hasNoRoute: false,
    version: 4,
    tail: new Uint8Array(0),
    badOrigin: false,
    stratum: 2,
    leap: "none",
    rootDelay: 0.002,
    rootDispersion: 0.001,
    referenceId: referenceIdOfAddress(address) ?? 0,
    precision: -25,
    isCoarse: false,
    queue: 0,
  };
}

/** Makes the response of a server that sees the request at a time by its own clock. */
export function fakeResponse(
  server: FakeServer,
  { request, time }: { readonly request: Uint8Array; readonly time: NtpTimestamp },
): Uint8Array {
  const decoded = decodeHeader(request);
  assert.ok(decoded.ok);
  const grain = server.isCoarse ? BigInt(2 ** (32 + server.precision)) : 1n;
  const at = ntpTimestamp(time - time % grain);
  const header = encodeHeader({
    ...emptyHeader(server.version, 4),
    leapIndicator: LEAP[server.leap],
    stratum: server.stratum,
    precision: server.precision,
    rootDelay: server.rootDelay,
    rootDispersion: server.rootDispersion,
    referenceId: server.referenceId,
    referenceTimestamp: addSeconds(at, -10),
    originTimestamp: server.badOrigin ? at : decoded.value.transmitTimestamp,
    receiveTimestamp: at,
    transmitTimestamp: at,
  });
  return new Uint8Array([...header, ...server.tail]);
}
