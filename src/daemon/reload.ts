/**
 * Reads the configuration of a running daemon again and says in the log what changes; applying it
 * is the daemon's work.
 *
 * A configuration with errors, and files that do not answer, leave the old one in force.
 *
 * @module
 */
import { environmentVariable } from "../../ffi/process/process.ts";
import type { Config } from "../config/config.ts";
import { namedPaths } from "../config/named_path.ts";
import { describeChanges } from "../config/reload_diff.ts";
import { openSecrets } from "../system/secret_files.ts";
import { configureLog, log } from "../system/log.ts";
import type { ConfigWithKeys, DaemonOptions } from "./daemon_options.ts";
import { filesAnswer } from "./files/file_access.ts";
import type { FunctionStates } from "./observability/function_states.ts";
import { onceConfig } from "./once.ts";

/** What is in force, and where it is told that another one is not. */
export interface InForce {
  /** The configuration. */
  readonly before: Config;
  /** Tells in status of a configuration that was refused, until one is taken. */
  readonly functions: FunctionStates;
}

/**
 * Reads the configuration and the keys again, and logs the remarks on them; undefined when `before`
 * stays in force, for reasons that are in the log.
 */
export async function readAgain(
  options: DaemonOptions,
  { before, functions }: InForce,
): Promise<ConfigWithKeys | undefined> {
  if (!await filesAnswer([...options.configFiles, before.keysFile])) return undefined;
  const loaded = options.reload();
  if (!loaded.ok) {
    log.error("The configuration has errors, and the old one stays in force:");
    for (const line of loaded.error) log.error(line);
    const name = options.configFiles[0] ?? "built-in";
    const reason = `It has errors, and the old one stays in force: ${loaded.error[0] ?? ""}`;
    functions.toldDown({ kind: "configuration", name }, reason);
    return undefined;
  }
  functions.keepOnly("configuration", []);
  const { config, keys, notes } = loaded.value;
  for (const { level, text } of notes) log[level](text);
  return { config: effectiveConfig(config, options), keys };
}

/** Returns the configuration that is in force with the options of the command line. */
export function effectiveConfig(config: Config, options: DaemonOptions): Config {
  return options.once ? onceConfig(config, options) : config;
}

/** Logs what a new configuration changes. */
export function logChanges(before: Config, after: Config, options: DaemonOptions): void {
  const changes = describeChanges(before, after, { overridden: overriddenKeys(options) });
  log.info(
    changes.length === 0 ? "Nothing in the configuration changes" : "The configuration changes:",
  );
  for (const line of changes) log.info(line);
}

/** Sets the log up as a configuration and the command line say. */
export function setUpLog(options: DaemonOptions, config: Config): void {
  const level = options.logLevel ?? config.observability.logLevel;
  configureLog({ level, journal: environmentVariable("JOURNAL_STREAM") !== undefined });
}

/** Warns of files with secrets that others can read or change. */
export function warnOfOpenSecrets(config: Config): void {
  for (const { message } of openSecrets(namedPaths(config), config.security.user)) {
    log.warning(message);
  }
}

function overriddenKeys({ logLevel, noAdjust }: DaemonOptions): readonly string[] {
  return [
    ...(logLevel === undefined ? [] : ["observability.log-level"]),
    ...(noAdjust ? ["clock.adjust"] : []),
  ];
}
