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
  return (header && NUMBERED[reason]?.(header)) ?? SENTENCES[reason] ??
    `The response cannot be used (${reason})`;
}

function unprovenText(reason: ProtectionReason, header: NtpHeader | undefined): string {
  if (reason === "nts-nak") return NAK;
  const kiss = header && kissOf(header);
  return reason === "nts-unprotected-kiss" && kiss !== undefined
    ? `The server refuses to answer (kiss, ${kiss})`
    : `The response is not authentic: ${reason}`;
}

const NAK = "The server does not accept the cookie (NTS NAK)";

const SENTENCES: Partial<Record<DropReason, string>> = {
  "too-short": "The response is too short",
  "duplicate": "The response repeats the one before it",
  "origin": "The response does not belong to the request",
  "crypto-nak": "The server responds with a crypto-NAK: it does not accept the authentication",
  "not-authentic": "The response carries a MAC that was not requested, and so proves nothing",
  "nts-nak": NAK,
  "zero-timestamp": "The response has no timestamps",
  "server-time-reversed": "By its own clock, the server responded before the request arrived",
  "negative-delay": "The timestamps contradict each other",
  "root-distance": "The server's root distance is 16 s or more",
  "reference-timestamp": "The server's clock was set in its own future",
};

const DENIED = ({ referenceId }: NtpHeader) =>
  `The server refuses to answer: kiss code ${formatReferenceId(referenceId, { stratum: 0 })}`;

/** Sentences with numbers of the packet, if it is one. */
const NUMBERED: Partial<Record<DropReason, (header: NtpHeader) => string>> = {
  "mode": ({ mode }) => `Wanted a response in mode 4, found mode ${mode}`,
  "version": ({ version }) =>
    `Wanted a response of version 1 to ${NTP_VERSION}, found version ${version}`,
  "kiss-rate": DENIED,
  "kiss-deny": DENIED,
  "kiss-restrict": DENIED,
  "kiss-unknown": DENIED,
  "unsynchronized": ({ leapIndicator, stratum }) =>
    "The server says that it is not synchronised " +
    `(leap indicator ${leapIndicator}, stratum ${stratum})`,
};
