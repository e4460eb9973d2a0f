/**
 * The status words of the system and of associations (RFC 9327 section 3).
 *
 * @module
 */
import type { PeerVariables } from "../../engine/status/peer_variables.ts";
import { isTimeKnown } from "../../engine/status/snapshot.ts";
import { LEAP } from "../../protocol/leap_indicator.ts";
import type { StatusWord } from "../../selection/status.ts";
import type { ControlView } from "../control_view.ts";

const SOURCE = { unspecified: 0, ntp: 6, local: 5 } as const;
const SYSTEM_EVENT = { clockSync: 5, restart: 6, noSystemPeer: 8 } as const;
const PEER_EVENT = {
  mobilize: 1,
  unreachable: 3,
  reachable: 4,
  denied: 8,
  systemPeer: 10,
} as const;
const PEER_BITS = {
  configured: 0x80,
  authenticated: 0x40,
  authentic: 0x20,
  reachable: 0x10,
} as const;

/** The tally codes of `ntpq -p`, by their number. */
const SELECTION: Readonly<Record<StatusWord, number>> = {
  "selected": 6,
  "combined": 4,
  "candidate": 5,
  "outlier": 3,
  "jittery": 3,
  "falseticker": 1,
  "unreachable": 0,
  "unsynchronized": 0,
  "distant": 0,
  "loop": 0,
  "no-select": 0,
  "kissed": 0,
  "starting": 0,
};

/** Returns the status word of the system. */
export function systemStatus(view: ControlView): number {
  const { status: { state, leap }, served } = view;
  const isKnown = isTimeKnown(state);
  const source = !isKnown ? SOURCE.unspecified : served.synchronized ? SOURCE.ntp : SOURCE.local;
  const event = isKnown
    ? SYSTEM_EVENT.clockSync
    : state === "starting"
    ? SYSTEM_EVENT.restart
    : SYSTEM_EVENT.noSystemPeer;
  return ((isKnown ? LEAP[leap] : LEAP.unknown) << 14) | (source << 8) | (1 << 4) | event;
}

/** Returns the status word of an association. */
export function peerStatus({ document }: PeerVariables): number {
  const { authentication, reach, status } = document;
  const isAuthenticated = authentication !== "none";
  const bits = PEER_BITS.configured | (isAuthenticated ? PEER_BITS.authenticated : 0) |
    (isAuthenticated && reach !== 0 ? PEER_BITS.authentic : 0) |
    (reach !== 0 ? PEER_BITS.reachable : 0);
  return ((bits | SELECTION[status]) << 8) | (1 << 4) | peerEvent(document);
}

function peerEvent({ status, reach, received }: PeerVariables["document"]): number {
  if (status === "selected") return PEER_EVENT.systemPeer;
  if (status === "kissed") return PEER_EVENT.denied;
  if (reach !== 0) return PEER_EVENT.reachable;
  return received === 0 ? PEER_EVENT.mobilize : PEER_EVENT.unreachable;
}
