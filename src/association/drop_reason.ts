/**
 * The words for why a packet brought no measurement. They appear in status and metrics.
 *
 * @module
 */
import type { PacketReason } from "../protocol/packet.ts";

/** Why a packet was dropped, or only taken note of. */
export type DropReason =
  /** Its octets are not a packet. */
  | PacketReason
  /** No request waits for it: it is late, or comes a second time. */
  | "unexpected"
  /** Test 1: an old response again. */
  | "duplicate"
  /** Test 2: it does not repeat what the request sent. */
  | "origin"
  /** Test 3: a timestamp of zero. */
  | "zero-timestamp"
  /** Test 3: the server says that it responded before the request came. */
  | "server-time-reversed"
  /** Test 3: the server held the packet for longer than it was away. */
  | "negative-delay"
  /** Test 5: the authentication is missing, wrong, or was not asked for. */
  | "not-authentic"
  /** Test 5: the server did not accept our authentication. */
  | "crypto-nak"
  /** The server asks for a new key exchange. */
  | "nts-nak"
  /** Test 6: the server says of itself that it has no time. */
  | "unsynchronized"
  /** Test 7: the root distance is absurd. */
  | "root-distance"
  /** Test 7: the server's clock was set in its own future. */
  | "reference-timestamp"
  | "mode"
  | "version"
  | "kiss-rate"
  | "kiss-deny"
  | "kiss-restrict"
  | "kiss-unknown";
