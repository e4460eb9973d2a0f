/**
 * Walks over the text of a TOML file character by character and tells what each one is part of, for
 * messages about texts that the TOML library refuses.
 *
 * Limits: it judges nothing. A quoted text that is not closed ends with its line, a bracket that is
 * not closed stays open.
 *
 * @module
 */

/** What a character is part of. */
export type Place = "code" | "text" | "comment";

/** A quote or a bracket that is open somewhere in a text. */
export interface Opening {
  /** The quotes, one or three of them, or the bracket. */
  readonly sign: string;
  /** Where it stands, in UTF-16 units from the beginning. */
  readonly at: number;
}

/** What is open at one place of a text. */
export interface Scan {
  /** The brackets that are open, the outermost first. */
  readonly brackets: readonly Opening[];
  /** The quotes that are open. */
  readonly quotes: Opening | undefined;
}

/** Walks up to `end` and returns what is open there; `visit` is called with each character. */
export function scan(
  text: string,
  { end = text.length, visit = () => {} }: {
    readonly end?: number;
    readonly visit?: (at: number, place: Place) => void;
  } = {},
): Scan {
  const brackets: Opening[] = [];
  let quotes: Opening | undefined;
  let isComment = false;
  for (let at = 0; at < end; at++) {
    const character = text[at] ?? "";
    if (quotes !== undefined) {
      visit(at, "text");
      if (character === "\\" && quotes.sign.startsWith('"')) {
        at++;
      } else if (quotes.sign.length === 1 && character === "\n") {
        quotes = undefined;
      } else if (text.startsWith(quotes.sign, at)) {
        at += quotes.sign.length - 1;
        quotes = undefined;
      }
      continue;
    }
    if (character === "\n") isComment = false;
    visit(at, isComment ? "comment" : "code");
    if (isComment) continue;
    if (character === "#") isComment = true;
    else if (character === '"' || character === "'") {
      const sign = text.startsWith(character.repeat(3), at) ? character.repeat(3) : character;
      quotes = { sign, at };
      at += sign.length - 1;
    } else if (character === "[" || character === "{") brackets.push({ sign: character, at });
    else if (character === "]" || character === "}") brackets.pop();
  }
  return { brackets, quotes };
}

/**
 * Returns the line and the column of a place, both from 1; the column counts characters, not UTF-16
 * units.
 */
export function positionOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: [...before.slice(start)].length + 1 };
}
