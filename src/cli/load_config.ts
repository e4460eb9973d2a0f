/**
 * Finds and reads the configuration: the named file, else the usual file if there is one, else the built-in one.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import { builtinConfig } from "../config/builtin.ts";
import type { Config } from "../config/config.ts";
import { type ConfigError, formatConfigError } from "../config/config_error.ts";
import {
  type KeyFault,
  type KeyFile,
  parseKeyFile,
  type SymmetricKey,
} from "../config/key_file.ts";
import { indexLines, lineOf } from "../config/line_index.ts";
import { parseConfig } from "../config/parse.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import type { FileFailure, ReadFile } from "./surroundings.ts";

/** Where the configuration is looked for when none is named. */
export const DEFAULT_CONFIG_FILE = "/etc/ntpsd/ntpsd.toml";

/** A configuration, and where it comes from. */
export interface LoadedConfig {
  /** The configuration. */
  readonly config: Config;
  /** Remarks on what looks like a mistake. */
  readonly notes: readonly ConfigError[];
  /** The file; undefined for the built-in configuration. */
  readonly file: string | undefined;
  /** Whether there is a file, and no key in it. */
  readonly isEmpty: boolean;
  /** Returns the line on which a key of the configuration stands, for remarks that need more than its text. */
  readonly lineOf: (path: string) => number | undefined;
}

/** Why there is no configuration. */
export interface ConfigFailure {
  /** The file that was to be read. */
  readonly file: string;
  /** All faults; a file that cannot be read is one fault without a path. */
  readonly errors: readonly ConfigError[];
  /** With what the command ends. */
  readonly exitCode: ExitCode;
}

/** Loads the configuration of `file`, or the default one; never throws. */
export function loadConfig(
  file: string | undefined,
  readFile: ReadFile,
): Result<LoadedConfig, ConfigFailure> {
  const path = file ?? DEFAULT_CONFIG_FILE;
  const text = readFile(path);
  if (!text.ok) {
    if (file === undefined && text.error.name === "ENOENT") {
      return ok({
        config: builtinConfig(),
        notes: [],
        file: undefined,
        isEmpty: false,
        lineOf: () => undefined,
      });
    }
    return err(unreadable(path, text.error));
  }
  const parsed = parseConfig(text.value, path);
  if (!parsed.ok) return err({ file: path, errors: parsed.error, exitCode: EXIT.config });
  const lines = indexLines(text.value);
  return ok({
    ...parsed.value,
    file: path,
    isEmpty: lines.size === 0,
    lineOf: (key) => lineOf(key, lines),
  });
}

/** A configuration with the symmetric keys that it names, by number. */
export interface LoadedWithKeys extends LoadedConfig {
  /** Empty when the configuration names no file of keys. */
  readonly keys: ReadonlyMap<number, SymmetricKey>;
}

/** Loads a configuration, and its file of keys if it has one: a key that is not there is a fault of the configuration. */
export function loadWithKeys(
  file: string | undefined,
  readFile: ReadFile,
): Result<LoadedWithKeys, ConfigFailure> {
  const loaded = loadConfig(file, readFile);
  if (!loaded.ok) return loaded;
  const { keysFile } = loaded.value.config;
  if (keysFile === undefined) return ok({ ...loaded.value, keys: new Map() });
  const text = readFile(keysFile);
  if (!text.ok) return err(unreadable(keysFile, text.error));
  const keyFile = parseKeyFile(text.value);
  const errors = keyFaults(loaded.value, keysFile, keyFile);
  if (errors.length > 0) {
    return err({ file: loaded.value.file ?? keysFile, errors, exitCode: EXIT.config });
  }
  const remarks = keyFile.faults.map((fault): ConfigError => ({
    ...withoutId(fault),
    file: keysFile,
    suggestion: fault.suggestion ?? "the other keys are used",
  }));
  return ok({ ...loaded.value, notes: [...loaded.value.notes, ...remarks], keys: keyFile.keys });
}

/** Returns what is wrong with a file of keys: keys that sources need, or all of it. */
function keyFaults(
  { config, lineOf }: LoadedConfig,
  file: string,
  { keys, faults }: KeyFile,
): readonly ConfigError[] {
  if (keys.size === 0 && faults.length > 0) {
    return faults.map((fault) => ({ ...withoutId(fault), file }));
  }
  return config.sources.flatMap(({ key, address }, i): ConfigError[] => {
    if (key === undefined) return [];
    const reasons = faults.filter(({ id }) => id === key);
    if (reasons.length > 0) return reasons.map((fault) => ({ ...withoutId(fault), file }));
    if (keys.has(key)) return [];
    const path = `source[${i}].key`;
    const line = lineOf(path);
    return [{
      path,
      ...(line === undefined ? {} : { line }),
      message: `Source ${address} wants key ${key}, which is not in ${file}`,
    }];
  });
}

function withoutId({ id: _id, ...fault }: KeyFault): ConfigError {
  return fault;
}

/** Writes the faults, one line each, with an end of line. */
export function formatFailure(failure: ConfigFailure): string {
  const lines = failure.errors.map((error) =>
    // The sentence about a file that cannot be read names the file by itself.
    failure.exitCode === EXIT.config
      ? formatConfigError(error, failure.file)
      : formatConfigError(error, "ntpsd")
  );
  return lines.map((line) => `${line}\n`).join("");
}

function unreadable(file: string, failure: FileFailure): ConfigFailure {
  const isForbidden = failure.name === "EACCES" || failure.name === "EPERM";
  const advice = failure.hint ??
    (isForbidden ? "grant this user the permission to read it" : undefined);
  const error: ConfigError = {
    path: "",
    message: failure.message,
    ...(advice === undefined ? {} : { suggestion: advice }),
  };
  return { file, errors: [error], exitCode: isForbidden ? EXIT.permission : EXIT.io };
}
