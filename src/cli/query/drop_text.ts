/**
 * Why an answer is not used, as `ntpsd query` says it: the words of the association's packet tests in sentences.
 *
 * @module
 */
import type { DropReason } from "../../association/drop_reason.ts";
import { REQUEST_VERSION } from "../../association/request.ts";
import { decodeHeader } from "../../protocol/header.ts";

/** Writes a sentence; `octets` are those of the packet, for the numbers in it. */
export function dropText(reason: DropReason, octets: Uint8Array = new Uint8Array(0)): string {
  const header = decodeHeader(octets);
  if (header.ok && reason === "mode") {
    return `Wanted an answer in mode 4, found mode ${header.value.mode}`;
  }
  if (header.ok && reason === "version") {
    return `Wanted an answer of version 1 to ${REQUEST_VERSION}, found version ${header.value.version}`;
  }
  return SENTENCES[reason] ?? `The answer cannot be used (${reason})`;
}

const SENTENCES: Partial<Record<DropReason, string>> = {
  "too-short": "The answer is too short",
  "origin": "The answer does not belong to the request",
  "crypto-nak": "The server answers with a crypto-NAK: it does not accept the authentication",
  "not-authentic": "The answer carries a MAC that nobody asked for, so that it proves nothing",
  "nts-nak": "The server does not accept the cookie (NTS NAK)",
  "zero-timestamp": "The answer has no timestamps",
  "server-time-reversed": "The server answered before it was asked, by its own clock",
  "negative-delay": "The timestamps contradict each other",
  "root-distance": "The server's root distance is 16 s or more",
  "reference-timestamp": "The server's clock was set in its own future",
};
