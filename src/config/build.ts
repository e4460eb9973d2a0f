/**
 * Turns what was read into a complete configuration: fills in what was not written, and checks the rules that concern more
 * than one key.
 *
 * The idea: every rule notes its fault at the key that the administrator would change, and the building goes on, so that all
 * faults are told together. The result counts only if no fault was noted. Things that are allowed but look like a mistake become
 * notes.
 *
 * @module
 */
import { ipFamily } from "../base/ip_address.ts";
import { NTP_PORT, NTS_KE_PORT } from "../base/ports.ts";
import { SECONDS_PER_DAY } from "../base/units.ts";
import type {
  AccessListConfig,
  Config,
  KeysetConfig,
  LogLevel,
  NtsKeServerConfig,
  PollIntervalLimits,
  ServerConfig,
  SourceConfig,
  StepPanicThreshold,
  SynchronizationConfig,
} from "./config.ts";
import { isAuthenticated } from "./config.ts";
import type { ConfigPath } from "./config_path.ts";
import type {
  RawConfig,
  RawNtsKeServer,
  RawPanicThreshold,
  RawServer,
  RawSource,
} from "./schema.ts";
import { canonicalHost } from "./special_address.ts";
import { collisionOf } from "./listen.ts";

/** A pool's `count` when none is written. */
const POOL_COUNT = 4;

/** Where status is served when nothing is written. */
const DEFAULT_STATUS_LISTENER = "127.0.0.1:9975";

/** Fills in defaults and checks the rules across keys; sections with faults are left out of the result. */
export function buildConfig(raw: RawConfig, root: ConfigPath): Config {
  const sources = buildSources(raw, root);
  const servers = buildServers(raw, root);
  const ntsKeServers = buildNtsKeServers(raw, root);
  const observability = raw.observability;
  const listen = observability?.listen === "" ? undefined : observability?.listen;
  checkListeners("server", servers, root);
  checkListeners("nts-ke-server", ntsKeServers, root);
  if (observability?.listen !== "") {
    checkStatusListener(listen ?? DEFAULT_STATUS_LISTENER, ntsKeServers, root);
  }
  checkRoles(raw, root);
  return {
    sources: sources.filter(isPresent),
    servers: servers.filter(isPresent),
    ntsKeServers: ntsKeServers.filter(isPresent),
    keyset: buildKeyset(raw),
    keysFile: raw.keys?.file,
    synchronization: buildSynchronization(raw, root, sources.filter(isPresent)),
    clock: {
      adjust: raw.clock?.adjust ?? "auto",
      driftFile: raw.clock?.["drift-file"],
      maxFrequency: raw.clock?.["max-frequency-ppm"] ?? 500,
      maxSlew: raw.clock?.["max-slew-ppm"] ?? 83_333,
      leapSecondsFile: raw.clock?.["leap-seconds-file"],
    },
    nts: {
      cookieStoragePath: raw.nts?.["cookie-storage-path"],
      strict: raw.nts?.strict ?? false,
    },
    observability: {
      logLevel: logLevel(observability?.["log-level"] ?? "info"),
      listen: observability?.listen === undefined ? DEFAULT_STATUS_LISTENER : listen,
      hosts: observability?.hosts ?? [],
      readyWhenSynchronized: observability?.["ready-when-synchronized"] ?? false,
      statisticsPath: observability?.["statistics-path"],
    },
    security: { user: raw.security?.user, seccomp: raw.security?.seccomp ?? true },
  };
}

function buildSources(raw: RawConfig, root: ConfigPath): readonly (SourceConfig | undefined)[] {
  const seen = new Map<string, number>();
  const trustProven = provenOutrank(raw);
  const common = raw["source-defaults"]?.["poll-interval-limits"];
  if (common !== undefined && usable(common) === undefined) {
    reportLimits(
      { min: common.min ?? 4, max: common.max ?? 10 },
      root.key("source-defaults"),
    );
  }
  return (raw.source ?? []).map((row, i) => {
    const at = root.key("source").index(i);
    if (row === undefined) return undefined;
    checkSourceKeys(row, raw, at);
    noteNumericPool(row, root.key("source").index(i));
    if (row["no-select"] === true && (row.prefer === true || row.require === true)) {
      const both = row.require === true ? "require" : "prefer";
      at.key("no-select").report(`Wanted either "no-select" or "${both}", found both`);
    }
    const source = trustProven(buildSource(row, raw, at), row);
    const name = source === undefined ? undefined : identityOf(source);
    const first = name === undefined ? undefined : seen.get(name);
    if (first !== undefined) {
      at.key("address").report(`The same address as in source[${first}]`, "remove one of the two");
    } else if (name !== undefined) seen.set(name, i);
    return source;
  });
}

/** Spells a source's address in one way; the usual port is no part of it, so that one server is not asked with and without NTS. */
function identityOf({ host, port, mode }: SourceConfig): string {
  return port === usualPort(mode) ? canonicalHost(host) : `${canonicalHost(host)} ${port}`;
}

function usualPort(mode: SourceConfig["mode"]): number {
  return mode === "nts" || mode === "nts-pool" ? NTS_KE_PORT : NTP_PORT;
}

function buildSource(row: RawSource, raw: RawConfig, at: ConfigPath): SourceConfig | undefined {
  const { mode, address } = row;
  const limits = pollLimits(row, raw["source-defaults"], at);
  const initial = initialPoll(row, raw["source-defaults"], { limits, at });
  if (mode === undefined || address === undefined) return undefined;
  const isPool = mode === "pool" || mode === "nts-pool";
  return {
    mode,
    address: address.text,
    host: address.host,
    port: address.port ?? usualPort(mode),
    count: isPool ? row.count ?? POOL_COUNT : 1,
    ignore: row.ignore ?? [],
    certificateAuthority: row["certificate-authority"],
    aeadAlgorithms: row["aead-algorithms"] ?? [],
    iburst: row.iburst ?? true,
    prefer: row.prefer ?? false,
    trust: row.trust ?? false,
    require: row.require ?? false,
    noSelect: row["no-select"] ?? false,
    key: row.key,
    pollIntervalLimits: limits,
    initialPollInterval: initial,
    interleaved: row.interleaved ?? false,
  };
}

/**
 * Returns what makes authenticated sources outrank the others where there are both (chrony's `authselectmode`); a key that is
 * written says otherwise.
 */
function provenOutrank(raw: RawConfig) {
  const mode = authenticationMode(raw);
  const kinds = (raw.source ?? []).filter((row) =>
    row?.mode !== undefined && row["no-select"] !== true
  )
    .map((row) => isAuthenticated({ mode: row?.mode ?? "server", key: row?.key }));
  const areBoth = kinds.includes(true) && kinds.includes(false);
  return (source: SourceConfig | undefined, row: RawSource): SourceConfig | undefined => {
    if (source === undefined || !areBoth || !isAuthenticated(source) || source.noSelect) {
      return source;
    }
    return {
      ...source,
      trust: row.trust ?? (mode === "mix" || mode === "prefer"),
      require: row.require ?? mode === "mix",
    };
  };
}

function authenticationMode(raw: RawConfig): SynchronizationConfig["authentication"] {
  return raw.synchronization?.authentication ?? "mix";
}

/** Notes keys that mean nothing in the source's mode: a certificate authority on a plain source would feign security. */
function checkSourceKeys(row: RawSource, raw: RawConfig, at: ConfigPath): void {
  const { mode } = row;
  if (mode === undefined) return;
  const isPool = mode === "pool" || mode === "nts-pool";
  const isNts = mode === "nts" || mode === "nts-pool";
  const refuse = (key: keyof RawSource, modes: string) => {
    if (row[key] !== undefined) at.key(key).report(`Only for ${modes}, but the mode is "${mode}"`);
  };
  if (!isPool) refuse("count", 'modes "pool" and "nts-pool"');
  if (!isPool) refuse("ignore", 'modes "pool" and "nts-pool"');
  if (!isNts) refuse("certificate-authority", 'modes "nts" and "nts-pool"');
  if (!isNts) refuse("aead-algorithms", 'modes "nts" and "nts-pool"');
  if (isNts) refuse("key", 'modes "server" and "pool" (NTS has keys of its own)');
  if (!isNts && row.key !== undefined && raw.keys?.file === undefined) {
    at.key("key").report(
      `Key ${row.key} cannot be found without a file of keys`,
      "add [keys] file = ...",
    );
  }
}

function noteNumericPool({ mode, address }: RawSource, at: ConfigPath): void {
  const isPool = mode === "pool" || mode === "nts-pool";
  if (!isPool || address === undefined || ipFamily(address.host) === undefined) return;
  at.key("address").remark(
    "A pool of one IP address never has more than one server",
    'use mode "server"',
  );
}

type PollRow = Pick<RawSource, "poll-interval-limits" | "initial-poll-interval"> | undefined;

function pollLimits(row: PollRow, defaults: PollRow, at: ConfigPath): PollIntervalLimits {
  const own = row?.["poll-interval-limits"];
  const common = usable(defaults?.["poll-interval-limits"]);
  const min = own?.min ?? common?.min ?? Math.min(4, own?.max ?? common?.max ?? 4);
  const max = own?.max ?? common?.max ?? Math.max(10, min);
  if (min > max && own !== undefined) reportLimits({ min, max }, at);
  return { min, max };
}

/** Leaves out limits that contradict themselves: they are told where they stand, not at every source. */
function usable(limits: RawSource["poll-interval-limits"]): typeof limits {
  return (limits?.min ?? 0) > (limits?.max ?? Infinity) ? undefined : limits;
}

function reportLimits({ min, max }: PollIntervalLimits, at: ConfigPath): void {
  at.key("poll-interval-limits").report(
    `Wanted min not above max, found min = ${min}, max = ${max}`,
  );
}

function initialPoll(
  row: PollRow,
  defaults: PollRow,
  { limits, at }: { limits: PollIntervalLimits; at: ConfigPath },
): number {
  const own = row?.["initial-poll-interval"];
  if (own !== undefined && limits.min <= limits.max && (own < limits.min || own > limits.max)) {
    at.key("initial-poll-interval").report(
      `Wanted an integer within the limits from ${limits.min} to ${limits.max}, found ${own}`,
    );
  }
  const wanted = own ?? defaults?.["initial-poll-interval"] ?? 4;
  return Math.max(limits.min, Math.min(limits.max, wanted));
}

function buildServers(raw: RawConfig, root: ConfigPath): readonly (ServerConfig | undefined)[] {
  return (raw.server ?? []).map((row, i) => {
    if (row?.["accept-ntp-versions"]?.length === 0) {
      root.key("server").index(i).key("accept-ntp-versions").report(
        "Wanted at least one version, found an empty list",
      );
    }
    noteUnreachable(row, raw, root.key("server").index(i));
    return row === undefined ? undefined : buildServer(row);
  });
}

/** A server that answers with NTS alone needs clients that have cookies: from here, or from another that shares its keys. */
function noteUnreachable(row: RawServer | undefined, raw: RawConfig, at: ConfigPath): void {
  const demand = row?.["require-nts"];
  if (demand === undefined || demand === false) return;
  if ((raw["nts-ke-server"] ?? []).length > 0) return;
  if (raw.keyset?.["key-storage-path"] !== undefined) return;
  at.key("require-nts").warn(
    "No client can have cookies for this server, so none is answered",
    "add [[nts-ke-server]], or key-storage-path in [keyset] if another machine gives them out",
  );
}

function buildServer(row: RawServer): ServerConfig | undefined {
  if (row.listen === undefined) return undefined;
  const limit = row["rate-limit"];
  const requireNts = row["require-nts"] ?? false;
  return {
    listen: row.listen,
    allowlist: accessList(row.allowlist),
    denylist: accessList(row.denylist),
    rateLimit: limit === undefined ? undefined : {
      interval: limit.interval ?? 3,
      burst: limit.burst ?? 8,
      leak: limit.leak ?? 2,
    },
    requireNts: requireNts === true ? "ignore" : requireNts,
    acceptNtpVersions: row["accept-ntp-versions"] ?? [1, 2, 3, 4],
    interleaved: row.interleaved ?? true,
    reusePort: row["reuse-port"] ?? false,
    clientTable: row["client-table"] ?? false,
  };
}

function accessList(row: RawServer["allowlist"]): AccessListConfig | undefined {
  if (row?.filter === undefined) return undefined;
  return { filter: row.filter, action: row.action ?? "ignore" };
}

function buildNtsKeServers(
  raw: RawConfig,
  root: ConfigPath,
): readonly (NtsKeServerConfig | undefined)[] {
  const rows: readonly (RawNtsKeServer | undefined)[] = raw["nts-ke-server"] ?? [];
  const servesNtp = (raw.server ?? []).length > 0;
  return rows.map((row, i) => {
    const chain = row?.["certificate-chain-path"];
    const privateKey = row?.["private-key-path"];
    if (row?.listen === undefined || chain === undefined || privateKey === undefined) {
      return undefined;
    }
    if (!servesNtp && row["ntp-server"] === undefined) {
      root.key("nts-ke-server").index(i).warn(
        "Clients are sent to an NTP server on this machine, but there is no [[server]] section",
        "add one, or name another machine in ntp-server",
      );
    }
    return {
      listen: row.listen,
      certificateChainPath: chain,
      privateKeyPath: privateKey,
      keyExchangeTimeout: (row["key-exchange-timeout-ms"] ?? 1000) / 1000,
      concurrentConnections: row["concurrent-connections"] ?? 512,
      ntpServer: row["ntp-server"],
      ntpPort: row["ntp-port"],
    };
  });
}

function buildKeyset(raw: RawConfig): KeysetConfig {
  return {
    staleKeyCount: raw.keyset?.["stale-key-count"] ?? 7,
    keyRotationInterval: raw.keyset?.["key-rotation-interval"] ?? SECONDS_PER_DAY,
    keyStoragePath: raw.keyset?.["key-storage-path"],
  };
}

function buildSynchronization(
  raw: RawConfig,
  root: ConfigPath,
  sources: readonly SourceConfig[],
): SynchronizationConfig {
  const row = raw.synchronization;
  const accumulated = row?.["accumulated-step-panic-threshold"] ?? 0;
  const localStratum = row?.["local-stratum"];
  return {
    authentication: authenticationMode(raw),
    minimumAgreeingSources: minimumAgreeing(raw, root, sources),
    singleStepPanicThreshold: panicThreshold(row?.["single-step-panic-threshold"]) ??
      { forward: 1000, backward: 1000 },
    startupStepPanicThreshold: panicThreshold(row?.["startup-step-panic-threshold"]),
    accumulatedStepPanicThreshold: accumulated === 0 ? undefined : finite(accumulated),
    localStratum: localStratum === 16 ? undefined : localStratum,
    referenceId: row?.["reference-id"],
    stepThreshold: row?.["step-threshold"] ?? 0.128,
    stepLimit: row?.["step-limit"] ?? 3,
  };
}

/**
 * Decides how many sources must agree. Without a word from the administrator it is 3, but always one less than there are sources, so
 * that one of them may be wrong or gone; a single source is followed as it is.
 */
function minimumAgreeing(
  raw: RawConfig,
  root: ConfigPath,
  sources: readonly SourceConfig[],
): number {
  const mustProve = authenticationMode(raw) === "require";
  const count = sources.filter((each) => !each.noSelect && (!mustProve || isAuthenticated(each)))
    .reduce((sum, source) => sum + source.count, 0);
  const written = raw.synchronization?.["minimum-agreeing-sources"];
  const key = "minimum-agreeing-sources";
  if (mustProve && count === 0 && sources.some((source) => !source.noSelect)) {
    root.key("synchronization").key("authentication").report(
      'No source is authenticated, and authentication is "require"',
      "the clock would never be set",
    );
    return 1;
  }
  if (written !== undefined) {
    // A section with a fault of its own is missing from the count: its fault is told, this would be none.
    const isComplete = sources.length === (raw.source ?? []).length;
    if (isComplete && sources.length > 0 && written > count) {
      root.key("synchronization").key(key).report(
        `Wanted at most ${count}, as many sources as there can be, found ${written}`,
        "the clock would never be set",
      );
    }
    return written;
  }
  const chosen = Math.max(1, Math.min(3, count - 1));
  if (count > 0 && chosen < 3) {
    root.key("synchronization").key(key).remark(
      `Lowered from 3 to ${chosen}, because there ${
        count === 1 ? "is one source" : `are ${count} sources`
      }`,
      "four sources or more are better: then one can be wrong and is found out",
    );
  }
  return chosen;
}

function panicThreshold(raw: RawPanicThreshold | undefined): StepPanicThreshold | undefined {
  if (raw === undefined) return undefined;
  if (typeof raw === "number") return { forward: finite(raw), backward: finite(raw) };
  return { forward: finite(raw.forward), backward: finite(raw.backward) };
}

function finite(value: number | undefined): number | undefined {
  return value === Infinity ? undefined : value;
}

function checkListeners(
  name: "server" | "nts-ke-server",
  entries: readonly ({ readonly listen: string; readonly reusePort?: boolean } | undefined)[],
  root: ConfigPath,
): void {
  const transport = name === "server" ? "udp" : "tcp";
  for (const [i, entry] of entries.entries()) {
    if (entry === undefined) continue;
    const at = root.key(name).index(i).key("listen");
    for (const [j, earlier] of entries.slice(0, i).entries()) {
      if (earlier === undefined) continue;
      const collision = collisionOf(transport, earlier.listen, entry.listen);
      const isShared = entry.reusePort === true && earlier.reusePort === true;
      if (collision === undefined || (collision === "covered" && isShared)) continue;
      if (collision === "same") {
        at.report(`The same address as in ${name}[${j}]`, "remove one of the two");
      } else at.report(cannotBeOpen(`${name}[${j}]`, earlier.listen), ONE_BY_ONE);
      break;
    }
  }
}

const ONE_BY_ONE = "remove one of the two, or name all addresses one by one";

function cannotBeOpen(other: string, listen: string): string {
  return `Cannot be open together with ${other}, which listens on ${listen}`;
}

/** Status and key exchange are both served over TCP. */
function checkStatusListener(
  listen: string,
  ntsKeServers: readonly (NtsKeServerConfig | undefined)[],
  root: ConfigPath,
): void {
  for (const [i, entry] of ntsKeServers.entries()) {
    const collision = entry && collisionOf("tcp", entry.listen, listen);
    if (collision === undefined) continue;
    root.key("nts-ke-server").index(i).key("listen").report(
      collision === "same"
        ? "The same address as observability.listen"
        : cannotBeOpen("observability", listen),
      "give one of the two another port",
    );
    return;
  }
}

/** Notes what is allowed, but leaves the daemon with less to do than was probably meant. */
function checkRoles(raw: RawConfig, root: ConfigPath): void {
  const localStratum = raw.synchronization?.["local-stratum"];
  const hasLocal = localStratum !== undefined && localStratum < 16;
  const hasSources = (raw.source ?? []).length > 0;
  const serves = (raw.server ?? []).length > 0 || (raw["nts-ke-server"] ?? []).length > 0;
  if (!hasSources && !serves) {
    root.warn(
      "No sources and no servers: ntpsd has nothing to do",
      "add [[source]]; without a configuration file ntpsd asks public servers",
    );
  } else if (!hasSources && !hasLocal) {
    root.warn("No sources: the clock is left as it is", "add a [[source]] section");
  }
  if (raw.synchronization?.["reference-id"] !== undefined && !hasLocal) {
    root.key("synchronization").key("reference-id").remark(
      "Has no effect without local-stratum",
    );
  }
}

function logLevel(word: LogLevel | "warn"): LogLevel {
  return word === "warn" ? "warning" : word;
}

function isPresent<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
