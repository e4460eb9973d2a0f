/**
 * What is wrong with a configuration text, in a form that a person, an editor and a program can
 * read.
 *
 * @module
 */
import { visibleText } from "../base/visible_text.ts";

/** One error of a configuration, or one remark about it. */
export interface ConfigError {
  /**
   * The key with its sections, `source[0].poll-interval-limits.min` (the first source is 0); empty
   * for the text as a whole.
   */
  readonly path: string;
  /** The line of the key, or of the section that should have it; from 1. */
  readonly line?: number;
  /** The column, from 1; for errors of the TOML syntax alone. */
  readonly column?: number;
  /** The file, if it is another one than the configuration. */
  readonly file?: string;
  /**
   * `file`: it is about a file that the configuration names, and ntpsd starts all the same; else it
   * does not start.
   */
  readonly kind?: "file";
  /**
   * Of a remark: whether ntpsd cannot do what was surely meant, so that the log has it as a
   * warning; else as information.
   */
  readonly isWarning?: true;
  /** What was wanted and what was found. */
  readonly message: string;
  /** What would probably help. */
  readonly suggestion?: string;
}

/** What is wrong, and what would be right, without a place. */
export type ErrorText = Pick<ConfigError, "message" | "suggestion">;

/**
 * Writes one error as `FILE:LINE:COLUMN: path: Message (suggestion)`, as compilers do, so that
 * editors can follow it.
 */
export function formatConfigError(error: ConfigError, file: string): string {
  const line = error.line === undefined ? "" : `:${error.line}`;
  const column = error.line === undefined || error.column === undefined ? "" : `:${error.column}`;
  const path = error.path === "" ? "" : `${error.path}: `;
  const suggestion = error.suggestion === undefined ? "" : ` (${error.suggestion})`;
  const text = `${error.file ?? file}${line}${column}: ${path}${error.message}${suggestion}`;
  return visibleText(text);
}
