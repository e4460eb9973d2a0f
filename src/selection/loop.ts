/**
 * Recognises our own time when it comes back to us.
 *
 * The problem: two servers that follow each other drift off together. The idea: a server from stratum 2 up names the
 * server that it follows by the reference identifier; if that is one of our addresses, or if the server is ourselves, it is
 * of no use (RFC 5905 section 11.2.1, the loop test of "fit"). Limits: longer rings are not seen; there, strata count up
 * until they end it. Loopback addresses name many servers, and so none.
 *
 * @module
 */
import { canonicalIp } from "../base/ip_address.ts";
import { referenceIdOfAddress } from "../protocol/reference_id.ts";

/** By what others know us. */
export interface OwnIdentity {
  /** Our addresses in canonical text. */
  readonly addresses: ReadonlySet<string>;
  /** The reference identifiers of our addresses. */
  readonly referenceIds: ReadonlySet<number>;
}

/** Prepares the numeric addresses of this machine for `isLoop`; loopback ones are left out. */
export function ownIdentity(addresses: readonly string[]): OwnIdentity {
  const global = addresses.map(canonicalIp)
    .filter((address) => address !== undefined && address !== "::1" && !/^127\./.test(address))
    .filter((address) => address !== undefined);
  const ids = global.map(referenceIdOfAddress).filter((id) => id !== undefined);
  return { addresses: new Set(global), referenceIds: new Set(ids) };
}

/** Tells whether a server's time is ours. `address` is the canonical text of where it is asked. */
export function isLoop(
  server: {
    readonly address: string;
    readonly stratum: number;
    readonly referenceId: number;
  },
  own: OwnIdentity,
): boolean {
  if (own.addresses.has(server.address)) return true;
  return server.stratum > 1 && own.referenceIds.has(server.referenceId);
}
