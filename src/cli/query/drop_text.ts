/**
 * Why a response is not used, as `ntpsd query` says it: the association's words in sentences.
 *
 * @module
 */
import type { DropReason } from "../../association/drop_reason.ts";
import type { ProtectionReason } from "../../nts/client/session_protection.ts";
import { decodeHeader, NTP_VERSION, type NtpHeader } from "../../protocol/header.ts";
import { kissOf } from "../../protocol/kiss_code.ts";
import { formatReferenceId } from "../../protocol/reference_id.ts";

/** What is known of a packet that was dropped. */
export interface DroppedPacket {
  /** Its octets, for the numbers in it. */
  readonly octets: Uint8Array;
  /** Why its authentication failed, if it has one. */
  readonly protectionReason?: ProtectionReason | undefined;
}

/** Writes a sentence. */
export function dropText(reason: DropReason, packet: DroppedPacket): string {
  const { octets, protectionReason } = packet;
  const decoded = decodeHeader(octets);
  const header = decoded.ok ? decoded.value : undefined;
  if (protectionReason !== undefined && (reason === "not-authentic" || reason === "nts-nak")) {
    return unprovenText(protectionReason, header);
  }
  return (header && textWithNumbers(reason, header)) ?? SENTENCES[reason] ??
    `The answer cannot be used (${reason})`;
}

function unprovenText(reason: ProtectionReason, header: NtpHeader | undefined): string {
  if (reason === "nts-nak") return NAK;
  const kiss = header && kissOf(header);
  return reason === "nts-unprotected-kiss" && kiss !== undefined
    ? `The server refuses to answer (kiss, ${kiss})`
    : `The answer is not authentic: ${reason}`;
}

function textWithNumbers(reason: DropReason, header: NtpHeader): string | undefined {
  switch (reason) {
    case "mode":
      return `Wanted an answer in mode 4, found mode ${header.mode}`;
    case "version":
      return `Wanted an answer of version 1 to ${NTP_VERSION}, found version ${header.version}`;
    case "kiss-rate":
    case "kiss-deny":
    case "kiss-restrict":
    case "kiss-unknown":
      return `The server refuses to answer: kiss code ${
        formatReferenceId(header.referenceId, { stratum: 0 })
      }`;
    case "unsynchronized":
      return `The server says that it is not synchronised (leap indicator ${header.leapIndicator}, stratum ${header.stratum})`;
    default:
      return undefined;
  }
}

const NAK = "The server does not accept the cookie (NTS NAK)";

const SENTENCES: Partial<Record<DropReason, string>> = {
  "too-short": "The answer is too short",
  "duplicate": "The answer is the one before it again",
  "origin": "The answer does not belong to the request",
  "crypto-nak": "The server answers with a crypto-NAK: it does not accept the authentication",
  "not-authentic": "The answer carries a MAC that was not asked for, so that it proves nothing",
  "nts-nak": NAK,
  "zero-timestamp": "The answer has no timestamps",
  "server-time-reversed": "The server answered before it was asked, by its own clock",
  "negative-delay": "The timestamps contradict each other",
  "root-distance": "The server's root distance is 16 s or more",
  "reference-timestamp": "The server's clock was set in its own future",
};
