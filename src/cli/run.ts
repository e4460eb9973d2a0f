/**
 * `ntpsd run`: the daemon.
 *
 * @module
 */
import { EXIT, type ExitCode } from "./exit_code.ts";
import { formatFailure, loadConfig } from "./load_config.ts";
import type { RunOptions } from "./run_command.ts";
import type { Surroundings } from "./surroundings.ts";

/** Runs the daemon until it is told to end. */
export function run(options: RunOptions, surroundings: Surroundings): Promise<ExitCode> {
  const loaded = loadConfig(options.config, surroundings.readFile);
  if (!loaded.ok) {
    surroundings.err(formatFailure(loaded.error));
    return Promise.resolve(loaded.error.exitCode);
  }
  surroundings.err("ntpsd: The daemon is not part of this build\n");
  return Promise.resolve(EXIT.unavailable);
}
