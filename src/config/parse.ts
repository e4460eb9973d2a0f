/**
 * Reads the text of a configuration: TOML in the words of docs/configuration.md, and the files that
 * it includes.
 *
 * The idea: one pass over everything, no stop at the first error, and each error with its path,
 * line and file. Limits: each text is at most a megabyte; the syntax is that of the TOML library,
 * whose first error ends the reading of a file.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import { buildConfig } from "./build.ts";
import type { Config } from "./config.ts";
import type { ConfigError } from "./config_error.ts";
import { ConfigPath, Diagnostics } from "./config_path.ts";
import { unknownKeyHint } from "./foreign_keys.ts";
import { type FilesBeside, readIncluded } from "./include.ts";
import { indexLines, lineOf } from "./line_index.ts";
import { type Identity, MergedTables, type Part, type Place } from "./merge.ts";
import { writtenPaths } from "./named_path.ts";
import { pathConflicts } from "./path_conflicts.ts";
import { SCHEMA } from "./schema.ts";
import { INCLUDE } from "./sections/include.ts";
import { identityOfSource } from "./sections/source.ts";
import { readToml } from "./toml.ts";

/** A configuration, and remarks on what in it looks like a mistake but is allowed. */
export interface ParsedConfig {
  /** What holds. */
  readonly config: Config;
  /** Remarks in the order of files and lines. */
  readonly notes: readonly ConfigError[];
  /** The files that are included. */
  readonly included: readonly string[];
  /** Whether there is no key at all. */
  readonly isEmpty: boolean;
  /** Returns where a path of the configuration stands, for remarks that need more than its text. */
  readonly placeOf: (path: string) => Place;
}

/** Where a text was read from. */
export interface ConfigSource {
  /** Its file, to which nothing may be written. */
  readonly file?: string;
  /** How files beside it are read; without it none is included. */
  readonly beside?: FilesBeside;
}

/**
 * Returns the configuration, or all that is wrong with the text, in the order of files and lines.
 * Never throws.
 */
export function parseConfig(
  text: string,
  { file, beside }: ConfigSource = {},
): Result<ParsedConfig, readonly ConfigError[]> {
  const first = readToml(text);
  if (!first.ok) return first;
  const own: Part = { file, text, table: first.value };
  const others = includedParts(own, beside);
  const merged = new MergedTables([own, ...others.parts], identify);
  const diagnostics = new Diagnostics(unknownKeyHint, (path) => merged.describe(path));
  const root = new ConfigPath(diagnostics);
  const raw = SCHEMA.read(merged.table, root);
  const config = raw === undefined ? undefined : buildConfig(raw, root);
  const { files: included } = others;
  const files = file === undefined ? included : [file, ...included];
  const errors = [...others.errors, ...merged.errors, ...diagnostics.errors];
  if (raw !== undefined) {
    for (const { key, message, suggestion } of pathConflicts(writtenPaths(raw), files)) {
      errors.push({ path: key, message, suggestion });
    }
  }
  const inOrder = (list: readonly ConfigError[]) =>
    sorted(list.map((error) => merged.locate(error)), included);
  if (config === undefined || errors.length > 0) return err(inOrder(errors));
  return ok({
    config,
    notes: inOrder([...merged.notes, ...diagnostics.notes]),
    included,
    isEmpty: merged.isEmpty,
    placeOf: (path) => merged.placeOf(path),
  });
}

/** Servers that included files may name again without harm, as DHCP does. */
function identify(list: string, section: unknown): Identity | undefined {
  return list === "source" ? identityOfSource(section) : undefined;
}

/** What a text includes. */
interface IncludedParts {
  /** All files, in their order. */
  readonly files: readonly string[];
  /** Those that can be understood. */
  readonly parts: readonly Part[];
  /** What is wrong with the others. */
  readonly errors: readonly ConfigError[];
}

/** Reads the files that a text includes. */
function includedParts(
  { file = "", table }: Part,
  beside: FilesBeside | undefined,
): IncludedParts {
  const patterns = INCLUDE.field.read(table["include"] ?? [], new ConfigPath(new Diagnostics()));
  if (patterns === undefined || patterns.length === 0) return { files: [], parts: [], errors: [] };
  if (beside === undefined) {
    const message = "Nothing can be included here";
    const error = { path: "include", message, suggestion: "write it here" };
    return { files: [], parts: [], errors: [error] };
  }
  const { texts, errors } = readIncluded(patterns, { file, beside });
  const all = [...errors];
  const parts = texts.flatMap(({ file, text }): readonly Part[] => {
    const read = readToml(text);
    if (!read.ok) {
      all.push(...read.error.map((error) => ({ ...error, file })));
      return [];
    }
    const { include, ...table } = read.value;
    if (include !== undefined) all.push(includesAgain(file, text));
    return [{ file, text, table }];
  });
  return { files: texts.map(({ file }) => file), parts, errors: all };
}

function includesAgain(file: string, text: string): ConfigError {
  const line = lineOf("include", indexLines(text));
  return {
    path: "include",
    ...(line === undefined ? {} : { line }),
    file,
    message: "A file that is included cannot include others",
    suggestion: "name all of them in the first file",
  };
}

/** Orders errors by file and line. */
function sorted(
  errors: readonly ConfigError[],
  included: readonly string[],
): readonly ConfigError[] {
  const rank = ({ file }: ConfigError) => file === undefined ? -1 : included.indexOf(file);
  return errors.toSorted((a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0));
}
