/**
 * The configuration as the program uses it: complete, validated, immutable. Text is turned into it
 * by `parse.ts`; durations are seconds, prefixes and addresses are text in one spelling. What each
 * member means stands beside its key, in `sections/`.
 *
 * @module
 */
import type { ClockConfig } from "./sections/clock.ts";
import type { ControlConfig } from "./sections/control.ts";
import type { KeysetConfig } from "./sections/keys.ts";
import type { NtsConfig } from "./sections/nts.ts";
import type { NtsKeServerConfig } from "./sections/nts_ke_server.ts";
import type { ObservabilityConfig } from "./sections/observability.ts";
import type { SecurityConfig } from "./sections/security.ts";
import type { ServerConfig } from "./sections/server.ts";
import type { SourceConfig } from "./sections/source.ts";
import type { SynchronizationConfig } from "./sections/synchronization.ts";

export type { ClockConfig } from "./sections/clock.ts";
export type { KeysetConfig } from "./sections/keys.ts";
export type { NtsKeServerConfig } from "./sections/nts_ke_server.ts";
export { LOG_LEVELS, type LogLevel } from "./sections/observability.ts";
export type { PollIntervalLimits } from "./sections/poll_interval.ts";
export type { ServerConfig } from "./sections/server.ts";
export { isAuthenticated, type SourceConfig } from "./sections/source.ts";
export type { StepPanicThreshold, SynchronizationConfig } from "./sections/synchronization.ts";

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
  /** The `[control]` section. */
  readonly control: ControlConfig;
  /** The `[security]` section. */
  readonly security: SecurityConfig;
}
