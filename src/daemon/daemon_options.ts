/**
 * What a daemon is started with, and how it can end.
 *
 * @module
 */
import type { Result } from "../base/result.ts";
import type { Config, LogLevel } from "../config/config.ts";
import type { SymmetricKey } from "../config/key_file.ts";
import type { Notice } from "./confinement.ts";

/** Why a daemon ended. */
export type DaemonEnd =
  | "told"
  | "clock-not-permitted"
  | "listen-not-permitted"
  | "listen-not-supported"
  | "system"
  | "panic"
  | "no-time";

/** A configuration with the symmetric keys that it names, by number. */
export interface ConfigWithKeys {
  /** Checked already. */
  readonly config: Config;
  /** Empty when the configuration names no file of keys. */
  readonly keys: ReadonlyMap<number, SymmetricKey>;
}

/** A configuration as it was read. */
export interface ReadConfig extends ConfigWithKeys {
  /** Remarks on what in it looks like a mistake. */
  readonly notes: readonly Notice[];
}

/** What a daemon is started with. */
export interface DaemonOptions extends ReadConfig {
  /** Where the configuration comes from, for the log. */
  readonly configOrigin: string;
  /** The files that it was read from, which a reload reads again; none for the built-in one. */
  readonly configFiles: readonly string[];
  /** What became of the privileges that the process was started with. */
  readonly privileges: readonly Notice[];
  /** The version of ntpsd, for the log and the status. */
  readonly version: string;
  /** Leaves the clock alone, whatever the configuration says (`-x`). */
  readonly noAdjust: boolean;
  /** Ends when the clock has been set (`--once`). */
  readonly once: boolean;
  /** Overrides the configuration's when given. */
  readonly logLevel: LogLevel | undefined;
  /** Reads the configuration again; the errors are complete lines. */
  readonly reload: () => Result<ReadConfig, readonly string[]>;
  /** Hands signals over, also those that came before. */
  readonly takeSignals: (handle: (signal: Deno.Signal) => void) => void;
}
