/**
 * Finds and reads the configuration: the named file, else the usual file if there is one, else the
 * built-in one.
 *
 * @module
 */
import { isForbidden } from "../base/forbidden.ts";
import { err, ok, type Result } from "../base/result.ts";
import { builtinConfig } from "../config/builtin.ts";
import { type ConfigError, formatConfigError } from "../config/config_error.ts";
import {
  type KeyFile,
  type KeyFileError,
  parseKeyFile,
  type SymmetricKey,
} from "../config/key_file.ts";
import type { FilesBeside } from "../config/include.ts";
import type { Place } from "../config/merge.ts";
import { parseConfig, type ParsedConfig } from "../config/parse.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import type { FileFailure, ReadFile } from "./command_context.ts";

/** Where the configuration is looked for when none is named. */
export const DEFAULT_CONFIG_FILE = "/etc/ntpsd/ntpsd.toml";

/** A configuration, and where it comes from. */
export interface LoadedConfig extends ParsedConfig {
  /** The file; undefined for the built-in configuration. */
  readonly file: string | undefined;
}

/** Why there is no configuration. */
export interface ConfigFailure {
  /** The file that was to be read. */
  readonly file: string;
  /** All errors; a file that cannot be read is one error without a path. */
  readonly errors: readonly ConfigError[];
  /** With what the command ends. */
  readonly exitCode: ExitCode;
}

/** Loads the configuration of `file`, or the default one; never throws. */
export function loadConfig(
  file: string | undefined,
  beside: FilesBeside,
): Result<LoadedConfig, ConfigFailure> {
  const path = file ?? DEFAULT_CONFIG_FILE;
  const text = beside.readFile(path);
  if (!text.ok) {
    return file === undefined && text.error.name === "ENOENT"
      ? ok(builtin())
      : err(unreadable(text.error, { file: path, place: { path: "" } }));
  }
  const parsed = parseConfig(text.value, { file: path, beside });
  if (!parsed.ok) return err({ file: path, errors: parsed.error, exitCode: EXIT.config });
  return ok({ ...parsed.value, file: path });
}

function builtin(): LoadedConfig {
  return {
    config: builtinConfig(),
    notes: [],
    file: undefined,
    included: [],
    isEmpty: false,
    placeOf: (path) => ({ path }),
  };
}

/** A configuration with the symmetric keys that it names, by number. */
export interface LoadedWithKeys extends LoadedConfig {
  /** Empty when the configuration names no file of keys. */
  readonly keys: ReadonlyMap<number, SymmetricKey>;
}

/**
 * Loads a configuration, and its file of keys if it has one: a key that is not there is an error of
 * the configuration.
 */
export function loadWithKeys(
  file: string | undefined,
  beside: FilesBeside,
): Result<LoadedWithKeys, ConfigFailure> {
  const loaded = loadConfig(file, beside);
  return loaded.ok ? addKeys(loaded.value, beside.readFile) : loaded;
}

/** Reads the file of keys of a configuration that is loaded, if it has one. */
export function addKeys(
  loaded: LoadedConfig,
  readFile: ReadFile,
): Result<LoadedWithKeys, ConfigFailure> {
  const { keysFile } = loaded.config;
  if (keysFile === undefined) return ok({ ...loaded, keys: new Map() });
  const file = loaded.file ?? keysFile;
  const text = readFile(keysFile);
  if (!text.ok) return err(unreadable(text.error, { file, place: loaded.placeOf("keys.file") }));
  const keyFile = parseKeyFile(text.value);
  const errors = keyErrors(loaded, keysFile, keyFile);
  if (errors.length > 0) return err({ file, errors, exitCode: EXIT.config });
  const remarks = keyFile.errors.map((error): ConfigError => ({
    ...withoutId(error),
    file: keysFile,
    isWarning: true,
    suggestion: error.suggestion ?? "the other keys are used",
  }));
  return ok({ ...loaded, notes: [...loaded.notes, ...remarks], keys: keyFile.keys });
}

/**
 * Returns what is wrong with a file of keys if a source misses one or none is left: then all of it.
 */
function keyErrors(
  { config, placeOf }: LoadedConfig,
  file: string,
  { keys, errors }: KeyFile,
): readonly ConfigError[] {
  const bad = errors.map((error): ConfigError => ({ ...withoutId(error), file }));
  if (keys.size === 0 && bad.length > 0) return bad;
  const wanted = config.sources.flatMap(({ key, address }, i) =>
    key === undefined ? [] : [{ key, address, path: `source[${i}].key` }]
  );
  const isTold = (key: number) => errors.some(({ id }) => id === key);
  const missing = wanted.filter(({ key }) => !keys.has(key) && !isTold(key)).map(
    ({ key, address, path }): ConfigError => ({
      ...placeOf(path),
      message: `Source ${address} wants key ${key}, which is not in ${file}`,
    }),
  );
  return missing.length > 0 || wanted.some(({ key }) => isTold(key)) ? [...missing, ...bad] : [];
}

function withoutId({ id: _id, ...error }: KeyFileError): ConfigError {
  return error;
}

/**
 * Writes the errors, one line each, with an end of line; `speaker` stands before a sentence that
 * has no place of its own.
 */
export function formatFailure(failure: ConfigFailure, speaker = "ntpsd: "): string {
  const lines = failure.errors.map((error) =>
    // The sentence about a configuration that cannot be read names the file by itself.
    failure.exitCode === EXIT.config || error.path !== ""
      ? formatConfigError(error, failure.file)
      : `${speaker}${formatConfigError(error, "").replace(/^: /, "")}`
  );
  return lines.map((line) => `${line}\n`).join("");
}

/** The file is there to be named, but is none, or there is none: no retry makes it better. */
const WRONG_PLACE = ["ENOENT", "ENOTDIR", "EISDIR", "ENXIO", "ELOOP", "ENAMETOOLONG", "EFBIG"];

/**
 * Tells that a file cannot be read: the configuration itself, or one that stands at a key of it.
 */
function unreadable(
  failure: FileFailure,
  { file, place }: { readonly file: string; readonly place: Place },
): ConfigFailure {
  const isRefused = isForbidden(failure);
  const isConfig = place.path !== "" && WRONG_PLACE.includes(failure.name);
  const advice = failure.hint ??
    (isRefused ? "grant this user the permission to read it" : undefined);
  const error: ConfigError = {
    ...place,
    message: failure.message,
    ...(advice === undefined ? {} : { suggestion: advice }),
  };
  const exitCode = isRefused ? EXIT.permission : isConfig ? EXIT.config : EXIT.io;
  return { file, errors: [error], exitCode };
}
