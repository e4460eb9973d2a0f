/**
 * The configuration as the program uses it: complete, validated, immutable. Text is turned into it by `parse.ts`; durations
 * are seconds, prefixes are text that has been checked.
 *
 * @module
 */
import type { PollExponent, Ppm, Seconds } from "../base/units.ts";

/** How often a source may be asked: both limits are exponents of two seconds. */
export interface PollIntervalLimits {
  readonly min: PollExponent;
  readonly max: PollExponent;
}

/** One `[[source]]` section. */
export interface SourceConfig {
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
  readonly certificateAuthority: string | undefined;
  /** AEAD algorithm numbers in order of preference; empty means the default order. */
  readonly aeadAlgorithms: readonly number[];
  readonly iburst: boolean;
  readonly prefer: boolean;
  readonly trust: boolean;
  readonly require: boolean;
  readonly noSelect: boolean;
  /** The symmetric key's identifier, if the source is authenticated by a MAC. */
  readonly key: number | undefined;
  readonly pollIntervalLimits: PollIntervalLimits;
  readonly initialPollInterval: PollExponent;
  readonly interleaved: boolean;
}

/** A list of prefixes, and what happens to a client that it turns away. */
export interface AccessListConfig {
  readonly filter: readonly string[];
  readonly action: "ignore" | "deny";
}

/** One `[[server]]` section. */
export interface ServerConfig {
  readonly listen: string;
  readonly allowlist: AccessListConfig | undefined;
  readonly denylist: AccessListConfig | undefined;
  readonly rateLimit: RateLimitConfig | undefined;
  readonly requireNts: false | "ignore" | "deny";
  readonly acceptNtpVersions: readonly number[];
  readonly interleaved: boolean;
  readonly reusePort: boolean;
  /** Whether the busiest clients are listed in the status; addresses are cut to a prefix. */
  readonly clientTable: boolean;
}

/** The token bucket of each client, in chrony's terms: 2^interval seconds an answer, a burst, one in 2^leak let through. */
export interface RateLimitConfig {
  readonly interval: number;
  readonly burst: number;
  readonly leak: number;
}

/** One `[[nts-ke-server]]` section. */
export interface NtsKeServerConfig {
  readonly listen: string;
  readonly certificateChainPath: string;
  readonly privateKeyPath: string;
  readonly keyExchangeTimeout: Seconds;
  readonly concurrentConnections: number;
  readonly ntpServer: string | undefined;
  readonly ntpPort: number | undefined;
}

/** The `[keyset]` section: the keys that encrypt the server's cookies. */
export interface KeysetConfig {
  readonly staleKeyCount: number;
  readonly keyRotationInterval: Seconds;
  readonly keyStoragePath: string | undefined;
}

/** A limit that may differ forward and backward; undefined means none. */
export interface StepPanicThreshold {
  readonly forward: Seconds | undefined;
  readonly backward: Seconds | undefined;
}

/** The `[synchronization]` section. */
export interface SynchronizationConfig {
  readonly minimumAgreeingSources: number;
  readonly singleStepPanicThreshold: StepPanicThreshold;
  readonly startupStepPanicThreshold: StepPanicThreshold;
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
  readonly adjust: "auto" | boolean;
  readonly driftFile: string | undefined;
  readonly maxFrequency: Ppm;
  readonly maxSlew: Ppm;
  readonly leapSecondsFile: string | undefined;
}

/** The `[nts]` section: the client's side. */
export interface NtsConfig {
  readonly cookieStoragePath: string | undefined;
  /** Whether certificate dates are always believed over a clock that is not yet set (no provisional start). */
  readonly strict: boolean;
}

/** The words for how much is logged. */
export type LogLevel = "trace" | "debug" | "info" | "warning" | "error";

/** The `[observability]` section. */
export interface ObservabilityConfig {
  readonly logLevel: LogLevel;
  /** Where HTTP is served; undefined switches it off. */
  readonly listen: string | undefined;
  readonly statisticsPath: string | undefined;
}

/** The `[security]` section. */
export interface SecurityConfig {
  readonly user: string | undefined;
  readonly seccomp: boolean;
}

/** A whole configuration. */
export interface Config {
  readonly sources: readonly SourceConfig[];
  readonly servers: readonly ServerConfig[];
  readonly ntsKeServers: readonly NtsKeServerConfig[];
  readonly keyset: KeysetConfig;
  readonly keysFile: string | undefined;
  readonly synchronization: SynchronizationConfig;
  readonly clock: ClockConfig;
  readonly nts: NtsConfig;
  readonly observability: ObservabilityConfig;
  readonly security: SecurityConfig;
}
