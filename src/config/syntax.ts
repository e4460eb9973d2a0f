/**
 * Puts what the TOML library says of a text that it cannot read into words for those who wrote it:
 * what is wrong, where it begins, and what to write.
 *
 * The problem: the library names the character at which it gave up, in the terms of a parser; a
 * quote that is missing on one line is told as an illegal key on the next. The idea: the place is
 * looked at again, with what is open there and what the line looks like, and the likeliest slip is
 * named. Limits: a guess; where none fits, the library's own sentence is told.
 *
 * @module
 */
import type { ConfigError, ErrorText } from "./config_error.ts";
import { foreignLineHint } from "./foreign_keys.ts";
import { duplicateOn } from "./line_index.ts";
import { type Opening, positionOf, scan } from "./scan.ts";
import { SECTIONS } from "./schema.ts";

/** What the library says. */
export interface TomlError {
  /** Its sentence. */
  readonly sentence: string;
  /** Where it gave up, from 1. */
  readonly line: number;
  /** The same, in UTF-16 units from 1. */
  readonly column: number;
}

/**
 * Returns the error as an administrator would tell it to another; of lines in the format of another
 * program all that follow.
 */
export function explainSyntax(text: string, error: TomlError): readonly ConfigError[] {
  const first = explain(text, error);
  const lines = text.split("\n");
  const isForeign = first.message.startsWith(FOREIGN_LINE);
  return isForeign ? [first, ...foreignLines(lines, error.line)] : [first];
}

/** So many lines in the format of another program are told. */
const FOREIGN_LINES_MAX = 20;

const FOREIGN_LINE = "This line is in the format of chrony or ntpd, not TOML";

/** Returns the lines after the first `from` ones that are in the format of another program. */
function foreignLines(lines: readonly string[], from: number): readonly ConfigError[] {
  const errors = lines.slice(from).flatMap((line, i): ConfigError[] => {
    const hint = foreignLineHint(line);
    if (hint === undefined) return [];
    const column = line.length - line.trimStart().length + 1;
    return [{ path: "", line: from + i + 1, column, ...otherProgram(line.trim(), hint) }];
  });
  const told = errors.slice(0, FOREIGN_LINES_MAX - 1);
  if (told.length === errors.length) return told;
  const message = `There are ${errors.length - told.length} more lines of this kind`;
  return [...told, { path: "", message }];
}

function explain(text: string, error: TomlError): ConfigError {
  const scene = new Scene(text, error);
  if (/nested/.test(error.sentence)) {
    return { path: "", ...scene.here(scene.at, { message: "Brackets are nested too deeply" }) };
  }
  const explained = unclosedText(scene) ?? duplicate(scene) ?? wrongValue(scene) ??
    unclosedBracket(scene) ?? badLine(scene) ?? badEscape(scene);
  if (explained !== undefined) return { path: "", ...explained };
  const message = `This is not TOML: ${error.sentence}`;
  return { path: "", line: error.line, column: error.column, message };
}

/** An error with its place. */
type Explained = ErrorText & { readonly line: number; readonly column?: number };

/** The text around the place at which the library gave up. */
class Scene {
  readonly text: string;
  readonly sentence: string;
  readonly line: number;
  /** Where the library gave up, in UTF-16 units from the beginning. */
  readonly at: number;
  /** The whole line on which that is. */
  readonly whole: string;
  /** Where that line begins. */
  readonly start: number;

  constructor(text: string, { sentence, line, column }: TomlError) {
    const lines = text.split("\n");
    this.text = text;
    this.sentence = sentence;
    this.line = line;
    this.start = lines.slice(0, line - 1).reduce((sum, before) => sum + before.length + 1, 0);
    this.at = this.start + column - 1;
    this.whole = (lines[line - 1] ?? "").replace(/\r$/, "");
  }

  /** Returns an error at a place of the text, in UTF-16 units from the beginning. */
  here(at: number, error: ErrorText): Explained {
    return { ...positionOf(this.text, at), ...error };
  }
}

function unclosedText(scene: Scene): Explained | undefined {
  const { sentence, text, at } = scene;
  const isEndOfLine = sentence.startsWith("control characters") && /[\r\n]/.test(text[at] ?? "");
  if (sentence !== "unfinished string" && !isEndOfLine) return undefined;
  // The library names the beginning of a text without an end, and the end of a line that cuts one
  // off.
  const quotes = isEndOfLine ? scan(text, { end: at }).quotes : openingAt(text, at);
  if (quotes === undefined) return undefined;
  return scene.here(quotes.at, {
    message: `The quotation mark ${quotes.sign} here has no counterpart`,
    suggestion: quotes.sign.length === 1
      ? `close the text with ${quotes.sign} on the same line`
      : `close the text with ${quotes.sign}`,
  });
}

function openingAt(text: string, at: number): Opening {
  const quote = text[at] === "'" ? "'" : '"';
  return { sign: text.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote, at };
}

function duplicate(scene: Scene): Explained | undefined {
  if (!scene.sentence.startsWith("trying to redefine")) return undefined;
  const found = duplicateOn(scene.line, scene.text);
  if (found === undefined) return mixedHeadings(scene);
  const { path, first, isHeading } = found;
  if (isHeading) {
    return {
      line: scene.line,
      message: `The section "${path}" stands twice, first on line ${first}`,
      suggestion: SECTIONS.some(({ name, identity }) => name === path && identity !== undefined)
        ? `write [[${path}]] for each of them`
        : "put the keys of both under one heading",
    };
  }
  return {
    line: scene.line,
    message: `The key "${path}" stands twice, first on line ${first}`,
    suggestion: "remove one of the two",
  };
}

/** Explains `[server]` beside `[[server]]`, and a section below what has a value already. */
function mixedHeadings(scene: Scene): Explained {
  const name = scene.whole.trim().replaceAll(/[[\]]|\s*[=#].*$/g, "");
  return {
    line: scene.line,
    message: `"${name}" is something else already: a section, a list of sections, or a value`,
    suggestion: "write all its headings alike, in single or in double brackets",
  };
}

/** Sentences of the library that are not about a value. */
const NO_VALUE_ERROR = /key|comma|unfinished|redefine|escape|string|nested|declaration/;

function wrongValue(scene: Scene): Explained | undefined {
  const { whole, start, at, text } = scene;
  const { brackets } = scan(text, { end: at });
  const equals = /^\s*(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*\s*=/
    .exec(whole);
  if (brackets.length === 0 && equals !== null && at >= start + equals[0].length - 1) {
    return wrongPlainValue(scene, start + equals[0].length);
  }
  if (brackets.length === 0 || isHeading(scene, brackets)) return undefined;
  if (NO_VALUE_ERROR.test(scene.sentence)) return undefined;
  const from = Math.max(
    ...["[", "{", ",", "=", "\n"].map((sign) => text.lastIndexOf(sign, at - 1)),
  );
  const word = /^\s*([^,\]}\n#]*)/.exec(text.slice(from + 1))?.[1]?.trim() ?? "";
  if (word === "") return scene.here(at, { message: "A value is missing here" });
  return scene.here(text.indexOf(word, from + 1), unquoted(word));
}

/** Explains a value that stands alone behind its key. */
function wrongPlainValue(scene: Scene, from: number): Explained | undefined {
  const rest = scene.whole.slice(from - scene.start);
  const word = rest.replace(/\s#.*$|^#.*$/, "").trim();
  const place = from + rest.length - rest.trimStart().length;
  if (word === "") {
    return scene.here(from, {
      message: "The key has no value",
      suggestion: "write one after the =",
    });
  }
  const first = word[0] ?? "";
  if (first === "=") {
    return scene.here(place, { message: "There are two = here", suggestion: "remove one" });
  }
  if (scene.sentence.startsWith("each key-value")) return surplus(scene, word);
  if (/["'[{]/.test(first)) return undefined;
  if (/^[^"'[{]+,/.test(word) && !GROUPED.test(word)) {
    return scene.here(place, {
      message: `Wanted one value, found ${quoted(word)}`,
      suggestion: "several values stand in brackets: [ ..., ... ]",
    });
  }
  return scene.here(place, unquoted(word));
}

/** A number with its thousands set apart. */
const GROUPED = /^[+-]?[0-9]{1,3}([, ][0-9]{3})+$/;

/** Explains what stands behind a complete value. */
function surplus(scene: Scene, word: string): Explained {
  const found = scene.whole.slice(scene.at - scene.start).trim();
  const first = word[0] ?? "";
  if (GROUPED.test(word)) {
    return scene.here(scene.start + scene.whole.indexOf(word), unquoted(word));
  }
  if (!/["'[{]/.test(first) && !/^(true|false|[+-]?[0-9.]+)\s/.test(word)) {
    return scene.here(scene.start + scene.whole.indexOf(word), unquoted(word));
  }
  const suggestion = found.startsWith(",")
    ? "several values stand in brackets: [ ..., ... ]"
    : first === "'" && !/^['"]/.test(found) && found.endsWith("'")
    ? "a text with ' in it stands in double quotes"
    : "write one key a line";
  const message = `Wanted the end of the line after the value, found ${quoted(found)}`;
  return scene.here(scene.at, { message, suggestion });
}

function unquoted(word: string): ErrorText {
  const plain = word.toLowerCase();
  if (["true", "yes", "on", "enabled"].includes(plain)) {
    return { message: `Wanted a value of TOML, found ${word}`, suggestion: "write true" };
  }
  if (["false", "no", "off", "disabled", "none"].includes(plain)) {
    return { message: `Wanted a value of TOML, found ${word}`, suggestion: "write false" };
  }
  if (/^[+-]?0[0-9]+$/.test(word)) {
    return {
      message: `A number does not begin with 0, found ${word}`,
      suggestion: `write ${word.replace(/^([+-]?)0+(?=[0-9])/, "$1")}`,
    };
  }
  if (GROUPED.test(word)) {
    return {
      message: `A number is written without blanks and commas, found ${word}`,
      suggestion: `write ${word.replaceAll(/[, ]/g, "")}`,
    };
  }
  return {
    message: `Text stands in quotation marks, found ${word.slice(0, 80)}`,
    suggestion: `write "${word.slice(0, 80).replaceAll(/["\\]/g, "")}"`,
  };
}

function unclosedBracket(scene: Scene): Explained | undefined {
  const { sentence, text, at } = scene;
  const isUnfinished = sentence === "unfinished array" || sentence === "unfinished table";
  const { brackets } = scan(text, { end: at });
  const open = isUnfinished ? undefined : brackets.at(-1);
  if (!isUnfinished && (open === undefined || isHeading(scene, brackets))) return undefined;
  const place = open?.at ?? at;
  const sign = text[place] ?? "[";
  const other = sign === "{" ? "}" : "]";
  const line = scene.whole.trim();
  // What looks like the next key or heading shows that the bracket was to be closed before it.
  const isLater = positionOf(text, place).line < scene.line;
  const isNext = isLater && (line === "" || /^(\[|[\w-]+\s*=)/.test(line));
  if (isUnfinished || isNext) {
    return scene.here(place, {
      message: `The bracket ${sign} here has no counterpart`,
      suggestion: `close it with ${other}`,
    });
  }
  if (!sentence.startsWith("expected comma")) return undefined;
  const found = quoted(text.slice(at).split("\n")[0]?.trim() ?? "");
  return scene.here(at, { message: `Wanted a comma or ${other}, found ${found}` });
}

/**
 * Tells whether the line is a heading: what begins with a bracket, and not inside of one that was
 * opened on a line before.
 */
function isHeading({ whole, start }: Scene, open: readonly Opening[]): boolean {
  return whole.trimStart().startsWith("[") && open.every(({ at }) => at >= start);
}

function badLine(scene: Scene): Explained | undefined {
  const line = scene.whole.trim();
  const place = scene.start + scene.whole.length - scene.whole.trimStart().length;
  if (isHeading(scene, scan(scene.text, { end: scene.at }).brackets)) {
    return badHeading(scene, place);
  }
  if (line.startsWith("=")) {
    return scene.here(place, { message: "There is no key before the =" });
  }
  if (/^(\/\/|\/\*|;|!|%|--)/.test(line)) {
    const message = `Wanted KEY = VALUE, found ${quoted(line)}`;
    return scene.here(place, { message, suggestion: "comments begin with #" });
  }
  if (!/key/.test(scene.sentence)) return undefined;
  const foreign = foreignLineHint(line);
  if (foreign !== undefined) return scene.here(place, otherProgram(line, foreign));
  const colon = /^([\w.-]+)\s*:\s*(.*)$/.exec(line);
  const message = `Wanted KEY = VALUE, found ${quoted(line)}`;
  if (colon !== null) return scene.here(place, { message, suggestion: "write = in place of :" });
  const suggestion = /^[\w.-]+\s+[^=\s]/.test(line) && !line.includes("=")
    ? "write = between the key and its value"
    : /^[\w.-]+$/.test(line)
    ? "write = and a value after the key"
    : line.startsWith("{")
    ? "this looks like JSON: write TOML"
    : undefined;
  return scene.here(place, { message, ...(suggestion === undefined ? {} : { suggestion }) });
}

function badHeading(scene: Scene, place: number): Explained {
  const line = scene.whole.trim();
  const isList = line.startsWith("[[");
  const name = /^\[+\s*([^\]#]*?)\s*(?:[\]#]|$)/.exec(line)?.[1] ?? "";
  const wanted = isList ? `[[${name}]]` : `[${name}]`;
  const isName = /^[\w.-]+$/.test(name);
  return scene.here(place, {
    message: `Wanted a heading such as ${isName ? wanted : "[clock] or [[source]]"}, found ${
      quoted(line)
    }`,
    suggestion: /^\[+\s*\]*$/.test(line)
      ? "name the section in the brackets"
      : "it stands alone on its line, with as many brackets before as behind",
  });
}

function otherProgram(line: string, suggestion: string): ErrorText {
  return {
    message: `${FOREIGN_LINE}: ${quoted(line)}`,
    suggestion,
  };
}

function badEscape(scene: Scene): Explained | undefined {
  if (!/escape/.test(scene.sentence)) return undefined;
  const backslash = scene.text.lastIndexOf("\\", scene.at);
  return scene.here(Math.max(backslash, 0), {
    message: "The backslash here does not begin an escape that TOML knows",
    suggestion: "write \\\\, or put the text in single quotes",
  });
}

function quoted(found: string): string {
  return found === "" ? "nothing" : found.length > 80 ? `${found.slice(0, 77)}...` : found;
}
