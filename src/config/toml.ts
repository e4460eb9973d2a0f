/**
 * Reads TOML, and says in an administrator's words what is wrong with a text that is not TOML.
 *
 * Limits: the first error of the syntax ends the reading; invisible characters, and lines in
 * the format of another program, are all told at once.
 *
 * @module
 */
import { parse as parseToml, TomlError } from "smol-toml";
import { err, ok, type Result } from "../base/result.ts";
import type { ConfigError } from "./config_error.ts";
import { findOddCharacters } from "./odd_characters.ts";
import { explainSyntax } from "./syntax.ts";

/** The longest text that is read, in UTF-16 units. */
export const CONFIG_LENGTH_MAX = 1 << 20;

/** Returns the tables of a text, or what is wrong with it. Never throws. */
export function readToml(text: string): Result<Record<string, unknown>, readonly ConfigError[]> {
  if (text.length > CONFIG_LENGTH_MAX) {
    const message = `Wanted at most ${CONFIG_LENGTH_MAX} characters, found ${text.length}`;
    return err([{ path: "", message }]);
  }
  const odd = findOddCharacters(text);
  if (odd.length > 0) return err(odd);
  try {
    return ok(parseToml(text, { maxDepth: 16 }));
  } catch (error) {
    if (!(error instanceof TomlError)) return err([{ path: "", message: "This is not TOML" }]);
    const sentence = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    return err(explainSyntax(text, { sentence, line: error.line, column: error.column }));
  }
}
