/**
 * The configuration as the program uses it: complete, validated, immutable. Text is turned into it by `parse.ts`; durations
 * are seconds, prefixes are text that has been checked.
 *
 * @module
 */
import type { PollExponent, Ppm, Seconds } from "../base/units.ts";

/** How often a source may be asked: both limits are exponents of two seconds. */
export interface PollIntervalLimits {
  /** The shortest interval. */
  readonly min: PollExponent;
  /** The longest interval. */
  readonly max: PollExponent;
}

/** One `[[source]]` section. */
export interface SourceConfig {
  /** One server or many behind one name, plain or with NTS. */
  readonly mode: "server" | "pool" | "nts" | "nts-pool";
  /** The address as written, for messages and as the identity of the source over a reload. */
  readonly address: string;
  /** The host name or the IP literal without brackets. */
  readonly host: string;
  /** The UDP port, or the TCP port of the key exchange with NTS. */
  readonly port: number;
  /** How many live members a pool keeps; 1 for a server. */
  readonly count: number;
  /** Addresses that a pool must not use. */
  readonly ignore: readonly string[];
  /** A file of certificates to trust beside the system's. */
  readonly certificateAuthority: string | undefined;
  /** AEAD algorithm numbers in order of preference; empty means the default order. */
  readonly aeadAlgorithms: readonly number[];
  /** Whether the start is a quick burst of requests. */
  readonly iburst: boolean;
  /** Whether its time is taken when it agrees with the others. */
  readonly prefer: boolean;
  /** Whether it, with others so marked, outvotes those that are not. */
  readonly trust: boolean;
  /** Whether one of those so marked must agree before the clock is touched. */
  readonly require: boolean;
  /** Whether it is measured only. */
  readonly noSelect: boolean;
  /** The symmetric key's identifier, if the source is authenticated by a MAC. */
  readonly key: number | undefined;
  /** The shortest and the longest interval between requests. */
  readonly pollIntervalLimits: PollIntervalLimits;
  /** The interval to begin with; within the limits. */
  readonly initialPollInterval: PollExponent;
  /** Whether interleaved mode is asked for (RFC 9769). */
  readonly interleaved: boolean;
}

/** Tells whether the packets of a source are authenticated, by NTS or by a symmetric key. */
export function isAuthenticated({ mode, key }: Pick<SourceConfig, "mode" | "key">): boolean {
  return mode === "nts" || mode === "nts-pool" || key !== undefined;
}

/** A list of prefixes, and what happens to a client that it turns away. */
export interface AccessListConfig {
  /** Prefixes in canonical text, `192.0.2.0/24`, without bits beyond the prefix. */
  readonly filter: readonly string[];
  /** Silence, or a refusal (kiss code DENY). */
  readonly action: "ignore" | "deny";
}

/** One `[[server]]` section. */
export interface ServerConfig {
  /** The numeric UDP address with port, in canonical text. */
  readonly listen: string;
  /** Who alone is served; undefined means everybody. */
  readonly allowlist: AccessListConfig | undefined;
  /** Who is not served. */
  readonly denylist: AccessListConfig | undefined;
  /** The limit for each client; undefined means none. */
  readonly rateLimit: RateLimitConfig | undefined;
  /** What happens to requests without NTS, if it is not to answer them. */
  readonly requireNts: false | "ignore" | "deny";
  /** The versions that are answered. */
  readonly acceptNtpVersions: readonly number[];
  /** Whether interleaved mode is served (RFC 9769). */
  readonly interleaved: boolean;
  /** Whether other processes may listen on the same port. */
  readonly reusePort: boolean;
  /** Whether the busiest clients are listed in the status; addresses are cut to a prefix. */
  readonly clientTable: boolean;
}

/** The token bucket of each client, in chrony's terms: 2^interval seconds an answer, a burst, one in 2^leak let through. */
export interface RateLimitConfig {
  /** One answer in 2^interval seconds is allowed for long. */
  readonly interval: number;
  /** So many answers at once are allowed before that. */
  readonly burst: number;
  /** One in 2^leak requests over the limit is answered all the same. */
  readonly leak: number;
}

/** One `[[nts-ke-server]]` section. */
export interface NtsKeServerConfig {
  /** The numeric TCP address with port, in canonical text. */
  readonly listen: string;
  /** The server's certificate and those that lead to its authority, in PEM. */
  readonly certificateChainPath: string;
  /** The private key of the certificate, in PEM. */
  readonly privateKeyPath: string;
  /** How long one key exchange may take. */
  readonly keyExchangeTimeout: Seconds;
  /** How many key exchanges may go on at once. */
  readonly concurrentConnections: number;
  /** The NTP server that clients are sent to; undefined means this machine. */
  readonly ntpServer: string | undefined;
  /** The UDP port that clients are sent to; undefined means 123. */
  readonly ntpPort: number | undefined;
}

/** The `[keyset]` section: the keys that encrypt the server's cookies. */
export interface KeysetConfig {
  /** How many old keys are kept. */
  readonly staleKeyCount: number;
  /** How often a new key is made. */
  readonly keyRotationInterval: Seconds;
  /** Where the keys are kept over a restart. */
  readonly keyStoragePath: string | undefined;
}

/** A limit that may differ forward and backward; undefined means none. */
export interface StepPanicThreshold {
  /** The limit for a clock that is behind. */
  readonly forward: Seconds | undefined;
  /** The limit for a clock that is ahead. */
  readonly backward: Seconds | undefined;
}

/** The `[synchronization]` section. */
export interface SynchronizationConfig {
  /** How many sources must agree before the clock is touched; at least 1. */
  readonly minimumAgreeingSources: number;
  /** What authenticated sources are to those that are not. */
  readonly authentication: "require" | "prefer" | "mix" | "ignore";
  /** The largest single correction later than at the start. */
  readonly singleStepPanicThreshold: StepPanicThreshold;
  /** The largest correction at the start; undefined means what `discipline/step_policy.ts` deems fit. */
  readonly startupStepPanicThreshold: StepPanicThreshold | undefined;
  /** The largest sum of all steps; undefined means no limit. */
  readonly accumulatedStepPanicThreshold: Seconds | undefined;
  /** The stratum to serve without a source; undefined means that none is served. */
  readonly localStratum: number | undefined;
  /** Four ASCII characters or an IPv4 address, for `local-stratum`; undefined means the usual. */
  readonly referenceId: string | undefined;
  /** Offsets beyond this are stepped while steps are allowed. */
  readonly stepThreshold: Seconds;
  /** How many of the first clock updates may step; negative means all, 0 none. */
  readonly stepLimit: number;
}

/** The `[clock]` section. */
export interface ClockConfig {
  /** Whether the clock is corrected; "auto" means if the process may. */
  readonly adjust: "auto" | boolean;
  /** Where the frequency of the clock is kept over a restart. */
  readonly driftFile: string | undefined;
  /** The largest frequency error that is believed. */
  readonly maxFrequency: Ppm;
  /** The fastest correction of an offset. */
  readonly maxSlew: Ppm;
  /** A list of leap seconds. */
  readonly leapSecondsFile: string | undefined;
}

/** The `[nts]` section: the client's side. */
export interface NtsConfig {
  /** Where cookies and keys are kept over a restart. */
  readonly cookieStoragePath: string | undefined;
  /** Whether certificate dates are always believed over a clock that is not yet set (no provisional start). */
  readonly strict: boolean;
}

/** The words for how much is logged. */
export type LogLevel = "trace" | "debug" | "info" | "warning" | "error";

/** The `[observability]` section. */
export interface ObservabilityConfig {
  /** How much is logged. */
  readonly logLevel: LogLevel;
  /** Where HTTP is served; undefined switches it off. */
  readonly listen: string | undefined;
  /** Names under which HTTP may be asked on loopback, beside those that are always allowed. */
  readonly hosts: readonly string[];
  /** Whether readiness means that the clock is known to be right. */
  readonly readyWhenSynchronized: boolean;
  /** The directory for statistics. */
  readonly statisticsPath: string | undefined;
}

/** The `[security]` section. */
export interface SecurityConfig {
  /** The user to become if started by root; undefined for the usual one. */
  readonly user: string | undefined;
  /** Whether system calls that are not needed are given up. */
  readonly seccomp: boolean;
}

/** A whole configuration. */
export interface Config {
  /** The `[[source]]` sections, in order. */
  readonly sources: readonly SourceConfig[];
  /** The `[[server]]` sections, in order. */
  readonly servers: readonly ServerConfig[];
  /** The `[[nts-ke-server]]` sections, in order. */
  readonly ntsKeServers: readonly NtsKeServerConfig[];
  /** The `[keyset]` section. */
  readonly keyset: KeysetConfig;
  /** The file of symmetric keys. */
  readonly keysFile: string | undefined;
  /** The `[synchronization]` section. */
  readonly synchronization: SynchronizationConfig;
  /** The `[clock]` section. */
  readonly clock: ClockConfig;
  /** The `[nts]` section. */
  readonly nts: NtsConfig;
  /** The `[observability]` section. */
  readonly observability: ObservabilityConfig;
  /** The `[security]` section. */
  readonly security: SecurityConfig;
}
