/**
 * Recognises our own time when it comes back to us.
 *
 * The problem: two servers that follow each other drift off together, and so does one that follows
 * itself. The idea: a server from stratum 2 up names the server that it follows by the reference
 * identifier; if that is one of our addresses, or if the server is ourselves, it is of no use (RFC
 * 5905 section 11.2.1, the loop test of "fit"). Limits: longer rings are not seen; there, strata
 * count up until they end it. Another program may serve at an address of ours (in a container,
 * say), so a server is ourselves only where we serve; but what serves at NTP's own port of a global
 * address of ours tells this machine's time.
 *
 * @module
 */
import { canonicalIp } from "../base/ip_address.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import { NTP_PORT } from "../base/ports.ts";
import { isLoopback } from "../base/unicast_address.ts";
import { referenceIdOfAddress } from "../protocol/reference_id.ts";

/** By what others know us. */
export interface OwnIdentity {
  /** Our addresses in canonical text. */
  readonly addresses: ReadonlySet<string>;
  /** The reference identifiers of our addresses. */
  readonly referenceIds: ReadonlySet<number>;
  /** Where we serve time. */
  readonly served: readonly SocketAddress[];
}

/**
 * Prepares the numeric addresses of this machine, and the places that it serves, for `isOurselves`
 * and `followsUs`.
 */
export function ownIdentity(
  addresses: readonly string[],
  served: readonly SocketAddress[],
): OwnIdentity {
  const global = addresses.map(canonicalIp)
    .filter((address) => address !== undefined)
    .filter((address) => !isAtLoopback(address));
  const ids = global.map(referenceIdOfAddress).filter((id) => id !== undefined);
  return { addresses: new Set(global), referenceIds: new Set(ids), served };
}

/** Tells whether a server is ourselves. The address is the canonical text of where it is asked. */
export function isOurselves(
  server: { readonly address: string; readonly port: number },
  own: OwnIdentity,
): boolean {
  const { address, port } = server;
  const isOwn = own.addresses.has(address);
  if (isOwn && port === NTP_PORT) return true;
  const wildcard = address.includes(":") ? "::" : "0.0.0.0";
  return own.served.some((place) =>
    place.port === port &&
    (place.address === address || (place.address === wildcard && (isOwn || isAtLoopback(address))))
  );
}

/** Tells whether a server says that it follows us. */
export function followsUs(
  server: { readonly stratum: number; readonly referenceId: number },
  own: OwnIdentity,
): boolean {
  return server.stratum > 1 && own.referenceIds.has(server.referenceId);
}

/** What is asked at an unspecified address comes to the loopback too. */
function isAtLoopback(address: string): boolean {
  return isLoopback(address) || address === "::" || address === "0.0.0.0";
}
