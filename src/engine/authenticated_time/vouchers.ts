/**
 * How many independent parties stand behind a time, and how many may come to do so.
 *
 * Servers that authenticate by a symmetric key are told apart by their addresses, those with
 * Network Time Security as `parties.ts` says.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import { formatAddress, translatedAddress } from "../../base/socket_address.ts";
import { type Config, isAuthenticated, type SourceConfig } from "../../config/config.ts";
import { canonicalHost } from "../../config/special_address.ts";
import { countParties, type Identified } from "./parties.ts";

/** A member of an authenticated source. */
export interface Voucher {
  /** The server. */
  readonly association: Pick<Association, "address" | "protection">;
  /** The section that it belongs to. */
  readonly config: Pick<SourceConfig, "mode" | "host">;
}

/** Counts the parties behind some members. */
export function votesOf(vouchers: readonly Voucher[]): number {
  return countParties(vouchers.map(identify));
}

/**
 * What tells the public key behind an association's keys from others, whether they were exchanged
 * by this run or by an earlier one.
 */
export function keyIdentityOf({ protection }: Pick<Association, "protection">): string | undefined {
  return protection?.certificate?.identity ?? protection?.keyIdentity;
}

/** Counts the parties that may come to stand behind a time, by what is configured. */
export function hostsThatProve(
  sources: readonly Pick<SourceConfig, "mode" | "host" | "key" | "count" | "noSelect">[],
): number {
  const authenticated = sources.filter((source) => isAuthenticated(source) && !source.noSelect);
  const exchanging = new Set(authenticated.filter(isNts).map(({ host }) => canonicalHost(host)));
  const others = authenticated.filter((source) => !isNts(source));
  return exchanging.size + others.reduce((sum, { count }) => sum + count, 0);
}

/**
 * Returns how many must agree on a time that is found with provisional certificates: as the
 * configuration says, but no more than there are hosts that could.
 */
export function quorumOf({ sources, synchronization }: Config): number {
  const hosts = new Set(
    sources.filter((source) => !source.noSelect && isNts(source))
      .map(({ host }) => canonicalHost(host)),
  );
  return Math.max(1, Math.min(synchronization.minimumAgreeingSources, hosts.size));
}

function isNts({ mode }: Pick<SourceConfig, "mode">): boolean {
  return mode === "nts" || mode === "nts-pool";
}

function identify({ association, config }: Voucher): Identified {
  return isNts(config)
    ? { host: canonicalHost(config.host), key: keyIdentityOf(association) }
    : { host: `at ${formatAddress(translatedAddress(association.address))}`, key: undefined };
}
