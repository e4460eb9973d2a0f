/**
 * One of the servers that are asked for a source, and when it is to be replaced.
 *
 * @module
 */
import {
  equalSocketAddress,
  plainAddress,
  type SocketAddress,
  socketAddress,
} from "../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import type { Association } from "./association.ts";
import type { KeyExchangeOutcome } from "../nts/key_exchange/outcome.ts";
import type { PacketProtection } from "./protection.ts";
import { REACH_LENGTH } from "./reach.ts";

/**
 * A member that never answered is replaced after this many requests, if there is another address.
 */
const FIRST_RESPONSE_REQUESTS = 4;

/**
 * A pool member is replaced when it has been a falseticker for eight polls and at least this long.
 */
const FALSETICKER_POLLS = 8;
const FALSETICKER_TIME_MIN: Seconds = 600;

/** A server that is asked for a source. */
export interface Member {
  /** What asks it. */
  readonly association: Association;
  /** Since when selection has thought it wrong; undefined while it does not. */
  falsetickerSince: MonotonicSeconds | undefined;
  /** Whether its address was left out for a while already: that is done once. */
  isRejected: boolean;
  /** Whether the name does not have its address any more. */
  isUnlisted: boolean;
}

/** What a new member is made from. */
export interface NewMember {
  /** Its number. */
  readonly id: number;
  /** Where it is asked. */
  readonly address: SocketAddress;
  /** How its packets are authenticated, if at all. */
  readonly protection: PacketProtection | undefined;
}

/** Tells whether new keys are for another server than a member asks. */
export function hasMoved(
  { address, protection }: Association,
  outcome: KeyExchangeOutcome,
): boolean {
  if (outcome.ntpServer !== undefined) return protection?.movedTo !== undefined;
  const named = socketAddress(outcome.peerAddress, outcome.ntpPort);
  return named !== undefined && !equalSocketAddress(plainAddress(named), address);
}

/**
 * Tells whether a member refused us, fell silent, or never was there. One with Network Time
 * Security exchanges keys by itself when a silence has used its cookies up, and follows where the
 * exchange leads; a second series of exchanges beside that one would break the distance that both
 * are to keep.
 */
export function isDead(association: Association): boolean {
  if (association.isStopped) return true;
  return association.protection?.authentication !== "nts" && isSilent(association);
}

/**
 * Tells whether a member holds its address against a new one of the same source; keys that no
 * response has proved hold nothing.
 */
export function holdsAddress(association: Association): boolean {
  if (association.isStopped) return false;
  return association.protection?.authentication !== "nts" || !isSilent(association);
}

function isSilent(association: Association): boolean {
  return association.history.unansweredRequests >= REACH_LENGTH ||
    (association.history.lastResponseAt === undefined &&
      association.history.unansweredRequests > FIRST_RESPONSE_REQUESTS);
}

/** Tells whether selection has thought a member wrong for so long that a pool gives it up. */
export function isLastingFalseticker(member: Member, now: MonotonicSeconds): boolean {
  if (member.falsetickerSince === undefined) return false;
  const patience = FALSETICKER_POLLS * 2 ** member.association.poll;
  return now - member.falsetickerSince >= Math.max(FALSETICKER_TIME_MIN, patience);
}
