/**
 * `ntpsd run`: the daemon.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import { formatConfigError } from "../config/config_error.ts";
import { type ConfigWithKeys, type DaemonEnd, runDaemon } from "../daemon/daemon.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { formatFailure, type LoadedConfig, loadWithKeys } from "./load_config.ts";
import type { RunOptions } from "./run_command.ts";
import type { Surroundings } from "./surroundings.ts";
import { VERSION } from "./version.ts";

const EXIT_OF_END: Readonly<Record<DaemonEnd, ExitCode>> = {
  "told": EXIT.done,
  "clock-not-permitted": EXIT.permission,
  "confinement-failed": EXIT.permission,
  "system": EXIT.io,
  "panic": EXIT.panic,
  "no-time": EXIT.temporary,
};

/** Runs the daemon until it is told to end. */
export async function run(options: RunOptions, surroundings: Surroundings): Promise<ExitCode> {
  const loaded = loadWithKeys(options.config, surroundings.readFile);
  if (!loaded.ok) {
    surroundings.err(formatFailure(loaded.error));
    return loaded.error.exitCode;
  }
  const end = await runDaemon({
    ...loaded.value,
    configOrigin: originOf(loaded.value),
    notes: loaded.value.notes.map((note) => formatConfigError(note, loaded.value.file ?? "")),
    version: VERSION,
    noAdjust: options.noAdjust,
    once: options.once,
    logLevel: options.logLevel,
    reload: () => reload(options, surroundings),
  });
  return EXIT_OF_END[end];
}

function reload(
  options: RunOptions,
  surroundings: Surroundings,
): Result<ConfigWithKeys, readonly string[]> {
  const loaded = loadWithKeys(options.config, surroundings.readFile);
  if (loaded.ok) return ok(loaded.value);
  return err(formatFailure(loaded.error).trimEnd().split("\n"));
}

function originOf(loaded: LoadedConfig): string {
  return loaded.file ?? "the built-in configuration, as there is no /etc/ntpsd/ntpsd.toml";
}
