/**
 * What follows the header of a request, found out in one bounded walk that allocates nothing.
 *
 * The response path needs to know only which of a few kinds a request is; what is in the fields is
 * for others to check.
 *
 * @module
 */
import { FIELD_TYPE } from "../protocol/extension_field.ts";
import type { PacketWalk } from "../protocol/packet_walk.ts";

/**
 * What a request is by what follows its header: nothing or fields that we do not know; fields of
 * which one is a unique identifier; fields of Network Time Security; a message authentication code
 * at the end; or none of these.
 */
export type RequestKind = "plain" | "unique-identifier" | "nts" | "mac" | "malformed";

/**
 * Tells what a request is over which a walk has just been started. After "mac" the walk stands on
 * the code, so that its length is known.
 */
export function requestKind(walk: PacketWalk): RequestKind {
  let kind: RequestKind = "plain";
  let part = walk.next();
  for (; part === "field"; part = walk.next()) {
    const { type } = walk;
    if (type === FIELD_TYPE.ntsCookie || type === FIELD_TYPE.ntsAuthenticator) kind = "nts";
    else if (type === FIELD_TYPE.uniqueIdentifier && kind === "plain") kind = "unique-identifier";
  }
  if (part === "end") return kind;
  // Network Time Security authenticates by a field, and no request is a NAK.
  return part === "mac" && kind !== "nts" ? "mac" : "malformed";
}
