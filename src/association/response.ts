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
import { decodePacket, type Packet } from "../protocol/packet.ts";
import type { DropReason } from "./drop_reason.ts";
import type { Timestamping } from "./measurement.ts";
import { hasOrigin, isKnownVersion, isServerMode } from "./packet_tests.ts";
import type { PacketProtection } from "./protection.ts";
import type { PendingRequest } from "./request.ts";

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
 * Reads octets as the response to `request`, or tells why they are not (RFC 5905 section 8, RFC
 * 8915 section 5.7).
 */
export function readResponse(
  octets: Uint8Array,
  request: PendingRequest,
  protection: PacketProtection | undefined,
): Result<ServerResponse, DropReason> {
  const header = decodeHeader(octets);
  if (!header.ok) return header;
  const isBasic = hasOrigin(header.value, request.transmitTimestamp);
  if (!isBasic && !hasOrigin(header.value, request.receiveTimestamp)) return err("origin");
  if (!isServerMode(header.value)) return err("mode");
  if (!isKnownVersion(header.value)) return err("version");
  const packet = decodePacket(octets);
  if (!packet.ok) return packet;
  const kiss = kissOf(header.value);
  const reason = authenticityDropReason(octets, packet.value, request, protection);
  if (reason !== undefined) {
    return err(reason === "not-authentic" && kiss === "nts-nak" ? "nts-nak" : reason);
  }
  return ok({ header: header.value, isInterleaved: !isBasic, kiss });
}

/** Returns the less exact of two ways of timestamping. */
export function worseTimestamping(a: Timestamping, b: Timestamping): Timestamping {
  const order: readonly Timestamping[] = ["hardware", "kernel", "user"];
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

/**
 * Test 5: the packet is as authentic as the association demands. An unrequested MAC proves nothing.
 */
function authenticityDropReason(
  octets: Uint8Array,
  packet: Packet,
  request: PendingRequest,
  protection: PacketProtection | undefined,
): "crypto-nak" | "not-authentic" | undefined {
  if (packet.trailer.kind === "crypto-nak") return "crypto-nak";
  if (protection === undefined) {
    return packet.trailer.kind === "mac" ? "not-authentic" : undefined;
  }
  return protection.verify(octets, request.uniqueIdentifier).ok ? undefined : "not-authentic";
}
