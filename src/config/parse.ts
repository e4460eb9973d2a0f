/**
 * Reads the text of a configuration: TOML in the words of docs/configuration.md.
 *
 * The idea: one pass over everything, no stop at the first error, and each error with its path and
 * line. Limits: the text is at most a megabyte; the syntax is that of the TOML library, whose first
 * error ends the reading.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import { buildConfig } from "./build.ts";
import type { Config } from "./config.ts";
import type { ConfigError } from "./config_error.ts";
import { ConfigPath, Diagnostics } from "./config_path.ts";
import { unknownKeyHint } from "./foreign_keys.ts";
import { indexLines, lineOf } from "./line_index.ts";
import { writtenPaths } from "./named_path.ts";
import { pathConflicts } from "./path_conflicts.ts";
import { SCHEMA } from "./schema.ts";
import { readToml } from "./toml.ts";

/** A configuration, and remarks on what in it looks like a mistake but is allowed. */
export interface ParsedConfig {
  /** What holds. */
  readonly config: Config;
  /** Remarks in the order of the lines. */
  readonly notes: readonly ConfigError[];
}

/**
 * Returns the configuration, or all that is wrong with the text, in the order of the lines. Never
 * throws. `file` is where the text was read from, if it was: a path that nothing may be written to.
 */
export function parseConfig(
  text: string,
  file?: string,
): Result<ParsedConfig, readonly ConfigError[]> {
  const table = readToml(text);
  if (!table.ok) return table;
  const diagnostics = new Diagnostics(unknownKeyHint);
  const root = new ConfigPath(diagnostics);
  const raw = SCHEMA.read(table.value, root);
  const config = raw === undefined ? undefined : buildConfig(raw, root);
  const { errors, notes } = diagnostics;
  if (raw !== undefined) {
    for (const { key, message, suggestion } of pathConflicts(writtenPaths(raw), file)) {
      errors.push({ path: key, message, suggestion });
    }
  }
  if (config !== undefined && errors.length === 0) {
    return ok({ config, notes: withLines(notes, text) });
  }
  return err(withLines(errors, text));
}

function withLines(errors: readonly ConfigError[], text: string): readonly ConfigError[] {
  if (errors.length === 0) return errors;
  const lines = indexLines(text);
  const located = errors.map((error): ConfigError => {
    const line = lineOf(error.path, lines);
    return line === undefined ? error : { ...error, line };
  });
  return located.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
