/**
 * Names the sessions of Network Time Security, so that a later run finds them again: what was
 * configured and what was asked.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import type { PacketProtection } from "../../association/protection.ts";
import {
  formatSocketAddress,
  parseSocketAddress,
  type SocketAddress,
} from "../../base/socket_address.ts";
import type { SourceConfig } from "../../config/config.ts";
import type { SessionState } from "../../nts/client/session.ts";
import type { Action } from "../events.ts";

/** A session of an earlier run. */
export interface SavedSession {
  /** The time server that it asked. */
  readonly address: SocketAddress;
  /** Keys and cookies. */
  readonly state: SessionState;
}

/** A member whose keys were saved by an earlier run. */
export interface ResumedMember {
  /** The time server that it asked. */
  readonly address: SocketAddress;
  /** Goes on with the saved keys and cookies. */
  readonly protection: PacketProtection;
}

/**
 * Collects what a restart should not lose: at the end all that is left, and "aside" what this run
 * does not use any more, so that it may be written while the run goes on.
 */
export function collectSessions(
  members: readonly { readonly association: Association; readonly config: SourceConfig }[],
  what: "left" | "aside" = "left",
): ReadonlyMap<string, SessionState> {
  const sessions = new Map<string, SessionState>();
  for (const { association, config } of members) {
    const { protection } = association;
    const state = what === "left" ? protection?.export?.() : protection?.setAside?.();
    if (state === undefined) continue;
    sessions.set(`${config.address} ${formatSocketAddress(association.address)}`, state);
  }
  return sessions;
}

/** Asks for what this run does not use any more to be written, if there is any. */
export function saveSessions(members: Parameters<typeof collectSessions>[0]): readonly Action[] {
  const sessions = collectSessions(members, "aside");
  return sessions.size === 0 ? [] : [{ type: "save-sessions", sessions }];
}

/** Finds the sessions of a source among those of an earlier run. */
export function findSessions(
  sessions: ReadonlyMap<string, SessionState>,
  config: SourceConfig,
): readonly SavedSession[] {
  const found: SavedSession[] = [];
  for (const [name, state] of sessions) {
    const [source, place = ""] = name.split(" ");
    const address = source === config.address ? parseSocketAddress(place) : undefined;
    const { aeadAlgorithms } = config;
    const isWanted = aeadAlgorithms.length === 0 || aeadAlgorithms.includes(state.aeadId);
    if (address !== undefined && isWanted) found.push({ address, state });
  }
  return found;
}
