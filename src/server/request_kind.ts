/**
 * What follows the header of a request, found out in one bounded walk that allocates nothing.
 *
 * The idea: the answer path needs to know only which of a few kinds a request is; what is in the fields is for others. Limits:
 * the rules are those of `protocol/packet.ts`, which allocates and is compared with this in a test.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import {
  FIELD_COUNT_MAX,
  FIELD_LENGTH_MIN,
  FIELD_TYPE,
  LAST_FIELD_LENGTH_MIN,
} from "../protocol/extension_field.ts";
import { HEADER_LENGTH } from "../protocol/header.ts";
import { MAC_LENGTH_MAX, MAC_LENGTH_MIN } from "../protocol/packet.ts";

/**
 * What a request is by what follows its header: nothing or fields that we do not know; fields of which one is a unique
 * identifier; fields of Network Time Security; a message authentication code of 20 or 24 octets with the key identifier, or of a
 * form that is not ours, at the end; or none of these.
 */
export type RequestKind =
  | "plain"
  | "unique-identifier"
  | "nts"
  | "mac-20"
  | "mac-24"
  | "mac-other"
  | "malformed";

/** The octets of a MAC of an NTPv3 packet of MS-SNTP with an extended authenticator, which nobody here can check. */
const MS_SNTP_LENGTH = 72;

/** Tells what a request of `length` octets, at least 48, at `offset` is (RFC 7822 section 7.5, RFC 5905 section 7.5). */
export function requestKind(
  bytes: Bytes,
  offset: number,
  request: { readonly length: number; readonly version: number },
): RequestKind {
  const end = offset + request.length;
  let at = offset + HEADER_LENGTH;
  if (request.version <= 3) return version3Kind(end - at);
  let kind: RequestKind = "plain", lastLength = LAST_FIELD_LENGTH_MIN;
  for (let count = 0; at < end; count++) {
    const rest = end - at;
    if (rest >= MAC_LENGTH_MIN && rest <= MAC_LENGTH_MAX) return macKind(rest, kind);
    if (rest < FIELD_LENGTH_MIN || count === FIELD_COUNT_MAX) return "malformed";
    const type = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    lastLength = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    if (lastLength < FIELD_LENGTH_MIN || lastLength % 4 !== 0 || lastLength > rest) {
      return "malformed";
    }
    if (type === FIELD_TYPE.ntsCookie || type === FIELD_TYPE.ntsAuthenticator) kind = "nts";
    else if (type === FIELD_TYPE.uniqueIdentifier && kind === "plain") kind = "unique-identifier";
    at += lastLength;
  }
  return lastLength < LAST_FIELD_LENGTH_MIN ? "malformed" : kind;
}

function macKind(rest: number, kind: RequestKind): RequestKind {
  if (kind === "nts") return "malformed";
  if (rest === MAC_LENGTH_MIN) return "mac-20";
  return rest === MAC_LENGTH_MAX ? "mac-24" : "malformed";
}

function version3Kind(rest: number): RequestKind {
  if (rest === 0) return "plain";
  return rest === MS_SNTP_LENGTH ? "mac-other" : macKind(rest, "plain");
}
