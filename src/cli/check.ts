/**
 * `ntpsd check`: tells everything that is wrong with a configuration, and starts nothing.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import type { Config } from "../config/config.ts";
import { formatConfigError } from "../config/config_error.ts";
import { type Command, hasOption, JSON_OPTION, textOption } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import {
  addKeys,
  type ConfigFailure,
  DEFAULT_CONFIG_FILE,
  formatFailure,
  loadConfig,
  type LoadedConfig,
} from "./load_config.ts";
import { plain } from "./style.ts";
import type { Surroundings } from "./surroundings.ts";

/** The command `check`. */
export const checkCommand: Command = {
  name: "check",
  summary: "validate a configuration and tell all that is wrong with it",
  operands: "[FILE]",
  operandsMin: 0,
  operandsMax: 1,
  options: {
    config: { type: "string", short: "c", value: "FILE", doc: `the file (${DEFAULT_CONFIG_FILE})` },
    json: JSON_OPTION,
  },
  more: `
Errors are written as FILE:LINE: KEY: what is wrong.

Exit status: 0 the configuration is fine; 78 it is not; 74 or 77 it cannot be read.
`,
  run(args, surroundings) {
    const named = textOption(args, "config"), [operand] = args.operands;
    if (named !== undefined && operand !== undefined) {
      surroundings.err(
        `ntpsd check: Wanted one file, found "${plain(named)}" and "${
          plain(operand)
        }"\nTry "ntpsd check --help"\n`,
      );
      return Promise.resolve(EXIT.usage);
    }
    const file = named ?? operand;
    return check(file, hasOption(args, "json"), surroundings);
  },
};

async function check(
  file: string | undefined,
  json: boolean,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { out, err: complain } = surroundings;
  const loaded = await loadWithFiles(file, surroundings);
  if (json) {
    const document = loaded.ok
      ? { file: loaded.value.file ?? null, ok: true, errors: [], notes: loaded.value.notes }
      : { file: loaded.error.file, ok: false, errors: loaded.error.errors, notes: [] };
    out(`${JSON.stringify(document)}\n`);
    return loaded.ok ? EXIT.done : loaded.error.exitCode;
  }
  if (!loaded.ok) {
    const count = loaded.error.errors.length;
    complain(formatFailure(loaded.error));
    if (count > 1) complain(`${count} errors\n`);
    return loaded.error.exitCode;
  }
  const { config, notes, file: found } = loaded.value;
  for (const note of notes) out(`${formatConfigError(note, found ?? "built-in")} [note]\n`);
  const what = found ?? `There is no ${DEFAULT_CONFIG_FILE}; the built-in configuration`;
  out(`${plain(what)} is fine: ${summary(config)}\n`);
  return EXIT.done;
}

/** Loads a configuration and looks at the files that it names; what is wrong with any of them is told together. */
async function loadWithFiles(
  file: string | undefined,
  { readFile, lookAtFiles }: Surroundings,
): Promise<Result<LoadedConfig, ConfigFailure>> {
  const loaded = loadConfig(file, readFile);
  if (!loaded.ok) return loaded;
  const { config, lineOf, file: found } = loaded.value;
  const files = await lookAtFiles?.(config, lineOf) ?? { faults: [], notes: [] };
  const keyed = addKeys(loaded.value, readFile);
  // The daemon reads the keys before it changes its user: that this user may not is no fault of the configuration.
  const isBarred = !keyed.ok && keyed.error.exitCode === EXIT.permission;
  const faults = [...keyed.ok || isBarred ? [] : keyed.error.errors, ...files.faults];
  if (faults.length > 0) {
    const exitCode = files.faults.length > 0 || keyed.ok ? EXIT.config : keyed.error.exitCode;
    return err({ file: found ?? "built-in", errors: faults, exitCode });
  }
  const { notes } = keyed.ok ? keyed.value : loaded.value;
  return ok({
    ...loaded.value,
    notes: [...notes, ...isBarred ? keyed.error.errors : [], ...files.notes],
  });
}

function summary(config: Config): string {
  const parts = [
    counted(config.sources.length, "source"),
    counted(config.servers.length, "server"),
    counted(config.ntsKeServers.length, "NTS key exchange server"),
  ];
  return parts.filter((part, i) => i === 0 || part !== "").join(", ");
}

function counted(count: number, noun: string): string {
  if (count === 0) return noun === "source" ? "no sources" : "";
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
