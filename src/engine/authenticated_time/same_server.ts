/**
 * Which members of different sources ask the same server, and which of them does so with more
 * right.
 *
 * The problem: name servers that are forged, or that simply list a server twice, and key exchanges
 * that name any host, make one server look like several, and the place that a wrong source holds
 * must not shut out the right one. The idea: one address is one server, whatever port a key
 * exchange names; other ports than the usual ones that the administrator wrote tell servers behind
 * one address apart. A source that has authenticated its server comes before all others; one that
 * has not proved anything yet reserves nothing; a named server comes before a pool, which has other
 * addresses. Two paths to an IPv4 host, one of them through a translator of the
 * well-known prefix, may both be asked and have one vote. Limits: hosts with several other
 * addresses are several servers.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import type { ServerHistory } from "../../association/server_history.ts";
import {
  formatAddress,
  plainAddress,
  type SocketAddress,
  translatedAddress,
} from "../../base/socket_address.ts";
import { NTP_PORT, NTS_KE_PORT } from "../../base/ports.ts";
import { isAuthenticated, type SourceConfig } from "../../config/config.ts";
import { REACH_LENGTH } from "../../association/reach.ts";

/** A member, or an address that is to become one. */
export interface Asker {
  /** The section that it belongs to. */
  readonly config: Pick<
    SourceConfig,
    "mode" | "key" | "port" | "count" | "noSelect" | "trust" | "require"
  >;
  /** Where it asks. */
  readonly address: SocketAddress;
  /** The member; undefined as long as there is none. */
  readonly association?:
    | Pick<Association, "id" | "isStopped" | "protection"> & {
      readonly history: Pick<ServerHistory, "lastResponseAt" | "unansweredRequests">;
    }
    | undefined;
}

/** Returns what a server is known by; members that share any of these ask the same server. */
export function identitiesOf({ config, address }: Asker): readonly string[] {
  const isNts = config.mode === "nts" || config.mode === "nts-pool";
  const host = formatAddress(translatedAddress(address));
  const endpoint = `${host} port ${address.port}`;
  if (config.port === (isNts ? NTS_KE_PORT : NTP_PORT)) return [host, endpoint];
  return isNts ? [`${host} keys from port ${config.port}`, endpoint] : [endpoint];
}

/**
 * Tells whether a member asks a server with so much more right than another one that this one is to
 * leave it alone.
 */
export function outranks(holder: Asker, asker: Asker): boolean {
  if (!isSameServer(holder, asker)) return false;
  if (holder.config.noSelect && !asker.config.noSelect) return false;
  const [its, own] = [proofOf(holder), proofOf(asker)];
  if (its === "unproven" || (its === "plain" && own !== "plain")) return false;
  const isNeeded = (asker.config.trust && !holder.config.trust) ||
    (asker.config.require && !holder.config.require);
  if (isNeeded) return false;
  return its !== own || comesFirst(holder, asker);
}

function isSameServer(a: Asker, b: Asker): boolean {
  if (plainAddress(a.address).address !== plainAddress(b.address).address) return false;
  const identities = identitiesOf(b);
  return identitiesOf(a).some((identity) => identities.includes(identity));
}

/**
 * Whether the answers are known to come from the server: an authentic one has come lately, or none
 * is, or cannot be.
 */
function proofOf({ config, association }: Asker): "proven" | "unproven" | "plain" {
  if (!isAuthenticated(config)) return "plain";
  const isProven = association?.history.lastResponseAt !== undefined && !association.isStopped &&
    association.history.unansweredRequests < REACH_LENGTH &&
    association.protection?.isProvisional !== true;
  return isProven ? "proven" : "unproven";
}

/** Named servers come before pools, then the older member before the younger. */
function comesFirst(holder: Asker, asker: Asker): boolean {
  const isPool = ({ config }: Asker) => config.mode === "pool" || config.mode === "nts-pool";
  if (isPool(holder) !== isPool(asker)) return isPool(asker);
  return (holder.association?.id ?? Infinity) < (asker.association?.id ?? Infinity);
}
