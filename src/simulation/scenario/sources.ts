/**
 * The sources of ntpsd in the simulated world: every one has a server behind it, and none uses NTS.
 *
 * @module
 */
import { ipFamily } from "../../base/ip_address.ts";
import { NTP_PORT } from "../../base/ports.ts";
import type { Config, SourceConfig } from "../../config/config.ts";
import type { ServerModel, ServerRow } from "./server.ts";

/**
 * How many servers a pool has that no server is written for, beyond those that are used at a time.
 */
const POOL_SPARE = 4;

/**
 * The `[[source]]` sections for a scenario that has none: one for each server, in the order of the
 * file.
 */
export function defaultSources(rows: readonly ServerRow[]): readonly Record<string, unknown>[] {
  return rows.map((row) => ({ mode: "server", address: row.name ?? "", iburst: true }));
}

/** A source that no server is written for. */
export interface MissingServer {
  /** The host of the source. */
  readonly host: string;
  /** The servers to make for it. */
  readonly rows: readonly ServerRow[];
}

/** Returns the sources that none of the servers stands for. */
export function missingServers(
  { sources }: Config,
  servers: readonly ServerModel[],
): readonly MissingServer[] {
  return sources.flatMap((source) => {
    const { host } = source;
    const isKnown = servers.some(({ name, pools, address }) =>
      name === host || address === host || pools.includes(host)
    );
    return isKnown ? [] : [{ host, rows: standIns(source) }];
  });
}

/** Returns a configuration with plain sources for those with NTS, and the hosts of these. */
export function withoutNts(
  config: Config,
): { readonly config: Config; readonly hosts: readonly string[] } {
  const isNts = ({ mode }: SourceConfig) => mode === "nts" || mode === "nts-pool";
  const sources = config.sources.map((source): SourceConfig =>
    isNts(source)
      ? { ...source, mode: source.mode === "nts" ? "server" : "pool", port: NTP_PORT }
      : source
  );
  return {
    config: { ...config, sources },
    hosts: config.sources.filter(isNts).map(({ host }) => host),
  };
}

function standIns({ host, mode, count }: SourceConfig): readonly ServerRow[] {
  if (mode === "server" || mode === "nts") {
    return [ipFamily(host) === undefined ? { name: host } : { name: host, address: host }];
  }
  return Array.from(
    { length: count + POOL_SPARE },
    (_, i) => ({ name: `${host}-${i + 1}`, pool: host }),
  );
}
