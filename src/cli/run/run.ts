/**
 * `ntpsd run`: the daemon.
 *
 * @module
 */
import { ok } from "../../base/result.ts";
import { formatConfigError } from "../../config/config_error.ts";
import { confine, type Notice, takeOverFiles } from "../../daemon/confinement.ts";
import type { DaemonEnd, DaemonOptions } from "../../daemon/daemon_options.ts";
import { hideMemory } from "../../../ffi/process/privileges.ts";
import { handleBugs } from "../bug.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import {
  formatFailure,
  type LoadedConfig,
  type LoadedWithKeys,
  loadWithKeys,
} from "../load_config.ts";
import { reloader } from "./reloader.ts";
import { overStart, takeSignals } from "./held_signals.ts";
import type { RunOptions } from "./run_options.ts";
import { plain } from "../display/style.ts";
import type { CommandContext } from "../command_context.ts";
import { VERSION } from "../version.ts";

/** How long the reader of the log may take for its end. */
const LOG_DRAIN_MILLISECONDS = 100;

const EXIT_OF_END: Readonly<Record<DaemonEnd, ExitCode>> = {
  "told": EXIT.done,
  "clock-not-permitted": EXIT.permission,
  "listen-not-permitted": EXIT.permission,
  "listen-not-supported": EXIT.unavailable,
  "system": EXIT.io,
  "panic": EXIT.panic,
  "no-time": EXIT.temporary,
};

/** Runs the daemon until it is told to end. */
export async function run(options: RunOptions, context: CommandContext): Promise<ExitCode> {
  // Keys are read next. A start again and a change of user undo it, so confinement does it again.
  hideMemory();
  takeOverFiles();
  const loaded = loadWithKeys(options.config, context);
  if (!loaded.ok) {
    context.err(formatFailure(loaded.error));
    return loaded.error.exitCode;
  }
  const { config, file } = loaded.value, { noAdjust, once } = options;
  const configFiles = filesOf(loaded.value);
  const confined = await overStart((brink) =>
    confine({ config, configFiles, noAdjust, once, brink })
  );
  if (!confined.ok) return refuse(confined.error, context);
  // Loaded only now, because a program that is to start again does so sooner without.
  const { runDaemon } = await import("../../daemon/run_daemon.ts");
  const privileges = confined.value();
  if (!privileges.ok) return refuse(privileges.error, context);
  const { flushLog, drainLog } = await import("../../system/log.ts");
  await meetBugs(flushLog);
  const reload = reloader({ named: options.config, inForce: file }, context);
  const end = await runDaemon({
    ...startOptions(loaded.value, options),
    privileges: privileges.value,
    reload: () => {
      const read = reload();
      return read.ok ? ok({ ...read.value, notes: noticesOf(read.value) }) : read;
    },
    takeSignals,
  });
  await drainLog(LOG_DRAIN_MILLISECONDS);
  return EXIT_OF_END[end];
}

/** Lets the daemon outlive what it can of internal errors; before others the log is flushed. */
async function meetBugs(flushLog: () => void): Promise<void> {
  const { meetInternalError } = await import("../../daemon/observability/internal_errors.ts");
  handleBugs((error) => {
    if (meetInternalError(error)) return true;
    flushLog();
    return false;
  });
}

/** What of the configuration and the command line the daemon is told. */
function startOptions(
  loaded: LoadedWithKeys,
  { noAdjust, once, logLevel }: RunOptions,
): Omit<DaemonOptions, "privileges" | "reload" | "takeSignals"> {
  return {
    ...loaded,
    configFiles: filesOf(loaded),
    configOrigin: originOf(loaded),
    notes: noticesOf(loaded),
    version: VERSION,
    noAdjust,
    once,
    logLevel,
  };
}

function refuse(reason: string, context: CommandContext): ExitCode {
  context.err(`ntpsd: ${plain(reason)}\n`);
  return EXIT.permission;
}

/** Turns the remarks on a configuration into lines for the log. */
function noticesOf({ notes, file }: LoadedConfig): readonly Notice[] {
  return notes.map((note) => ({
    level: note.isWarning === true ? "warning" : "info",
    text: formatConfigError(note, file ?? ""),
  }));
}

function originOf(loaded: LoadedConfig): string {
  const files = filesOf(loaded);
  return files.length > 0
    ? files.join(", ")
    : "the built-in configuration, as there is no /etc/ntpsd/ntpsd.toml";
}

function filesOf({ file, included }: LoadedConfig): readonly string[] {
  return file === undefined ? [] : [file, ...included];
}
