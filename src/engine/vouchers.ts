/**
 * How many independent parties stand behind a time: those who share a host or a key are one.
 *
 * The idea is that of the votes on a provisional time in `time_bootstrap.ts`: one vote for each host of key exchanges, and no more
 * than there are public keys. Servers that authenticate by a symmetric key are told apart by their addresses. Limits: who has
 * certificates for several hosts, each with a key of its own, is several parties.
 *
 * @module
 */
import type { Association } from "../association/association.ts";
import { formatAddress } from "../base/socket_address.ts";
import { isAuthenticated, type SourceConfig } from "../config/config.ts";

/** A member of an authenticated source. */
export interface Voucher {
  /** The server. */
  readonly association: Pick<Association, "address" | "protection">;
  /** The section that it belongs to. */
  readonly config: Pick<SourceConfig, "mode" | "host">;
}

/** Counts the parties behind some members. */
export function votesOf(vouchers: readonly Voucher[]): number {
  const hosts = new Set(vouchers.map(hostOf));
  const keys = new Set(vouchers.map(keyOf));
  return Math.min(hosts.size, keys.size);
}

/** Counts the parties that may come to stand behind a time, by what is configured. */
export function hostsThatProve(
  sources: readonly Pick<SourceConfig, "mode" | "host" | "key" | "count" | "noSelect">[],
): number {
  const authenticated = sources.filter((source) => isAuthenticated(source) && !source.noSelect);
  const exchanging = new Set(authenticated.filter(isNts).map(({ host }) => host.toLowerCase()));
  const others = authenticated.filter((source) => !isNts(source));
  return exchanging.size + others.reduce((sum, { count }) => sum + count, 0);
}

function isNts({ mode }: Pick<SourceConfig, "mode">): boolean {
  return mode === "nts" || mode === "nts-pool";
}

function hostOf({ association, config }: Voucher): string {
  return isNts(config)
    ? `keys of ${config.host.toLowerCase()}`
    : formatAddress(association.address);
}

function keyOf(voucher: Voucher): string {
  const identity = voucher.association.protection?.certificate?.identity;
  return identity === undefined ? hostOf(voucher) : `key ${identity}`;
}
