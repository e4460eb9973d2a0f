/**
 * Reads the text of a configuration: TOML in the words of docs/configuration.md.
 *
 * The idea: one pass over everything, no stop at the first fault, and each fault with its path and line. Limits: the text is
 * at most a megabyte; the syntax is that of the TOML library, whose first error ends the reading.
 *
 * @module
 */
import { parse as parseToml, TomlError } from "smol-toml";
import { err, ok, type Result } from "../base/result.ts";
import { buildConfig } from "./build.ts";
import type { Config } from "./config.ts";
import type { ConfigError } from "./config_error.ts";
import { Cursor } from "./field.ts";
import { indexLines, lineOf } from "./line_index.ts";
import { SCHEMA } from "./schema.ts";

/** A configuration, and remarks on what in it looks like a mistake but is allowed. */
export interface ParsedConfig {
  /** What holds. */
  readonly config: Config;
  /** Remarks in the order of the lines. */
  readonly notes: readonly ConfigError[];
}

/** The longest text that is read, in UTF-16 units. */
export const CONFIG_LENGTH_MAX = 1 << 20;

/** Returns the configuration, or all that is wrong with the text, in the order of the lines. Never throws. */
export function parseConfig(text: string): Result<ParsedConfig, readonly ConfigError[]> {
  const table = readToml(text);
  if (!table.ok) return err([table.error]);
  const faults: ConfigError[] = [];
  const notes: ConfigError[] = [];
  const root = new Cursor(faults);
  const raw = SCHEMA.read(table.value, root);
  const config = raw === undefined
    ? undefined
    : buildConfig(raw, { faults: root, notes: new Cursor(notes) });
  if (config !== undefined && faults.length === 0) {
    return ok({ config, notes: withLines(notes, text) });
  }
  return err(withLines(faults, text));
}

function readToml(text: string): Result<unknown, ConfigError> {
  if (text.length > CONFIG_LENGTH_MAX) {
    return err({
      path: "",
      message: `Wanted at most ${CONFIG_LENGTH_MAX} characters, found ${text.length}`,
    });
  }
  try {
    return ok(parseToml(text, { maxDepth: 16 }));
  } catch (error) {
    if (!(error instanceof TomlError)) return err({ path: "", message: "This is not TOML" });
    const { line, column } = error;
    return err({ path: "", line, column, message: syntaxMessage(error.message) });
  }
}

/** Keeps the sentence of the library and drops its drawing of the line. */
function syntaxMessage(message: string): string {
  const sentence = (message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
  return sentence === "" ? "This is not TOML" : `This is not TOML: ${sentence}`;
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
