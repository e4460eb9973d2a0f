/**
 * What a response says, once it is known to be one: the checks that come before any of its contents
 * is believed.
 *
 * The idea: the random number of the request first, because a sender that does not know it is not
 * the server (nor on the path to it) and must not make us do any more work; then mode and version,
 * the framing, and the authentication. Only what has passed all of them can change the state of an
 * association.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import { decodeHeader, type NtpHeader } from "../protocol/header.ts";
import { type Kiss, kissOf } from "../protocol/kiss_code.ts";
import { decodePacket } from "../protocol/packet.ts";
import type { DropReason } from "./drop_reason.ts";
import type { Timestamping } from "./measurement.ts";
import { hasOrigin, isKnownVersion, isServerMode } from "./packet_tests.ts";
import type { ExpectedResponse } from "./request.ts";

/** An authentic response to a request. */
export interface ServerResponse {
  /** The header of the response. */
  readonly header: NtpHeader;
  /** Whether the server answered in interleaved mode (RFC 9769). */
  readonly isInterleaved: boolean;
  /** What a response of stratum 0 asks for. */
  readonly kiss: Kiss | undefined;
}

/**
 * Reads octets as the response to a request, or tells why they are not (RFC 5905 section 8, RFC
 * 8915 section 5.7).
 */
export function readResponse(
  octets: Uint8Array,
  expected: ExpectedResponse,
): Result<ServerResponse, DropReason> {
  const decoded = decodeHeader(octets);
  if (!decoded.ok) return decoded;
  const header = decoded.value;
  const isBasic = hasOrigin(header, expected.transmitTimestamp);
  if (!isBasic && !hasOrigin(header, expected.receiveTimestamp)) return err("origin");
  if (!isServerMode(header)) return err("mode");
  if (!isKnownVersion(header)) return err("version");
  const packet = decodePacket(octets);
  if (!packet.ok) return packet;
  if (packet.value.trailer.kind === "crypto-nak") return err("crypto-nak");
  const kiss = kissOf(header);
  // Test 5: an unrequested MAC proves nothing.
  const isAuthentic = expected.protection === undefined
    ? packet.value.trailer.kind !== "mac"
    : expected.protection.verify(octets, expected.uniqueIdentifier).ok;
  if (!isAuthentic) return err(kiss === "nts-nak" ? "nts-nak" : "not-authentic");
  return ok({ header, isInterleaved: !isBasic, kiss });
}

/** Returns the less exact of two ways of timestamping. */
export function worseTimestamping(a: Timestamping, b: Timestamping): Timestamping {
  const order: readonly Timestamping[] = ["hardware", "kernel", "user"];
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
