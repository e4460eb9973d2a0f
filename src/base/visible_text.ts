/**
 * Text as it may reach a log or a terminal: nothing in it steers, hides or turns anything round.
 *
 * The problem: names, reasons and texts of errors come from afar, and U+009B, U+202E or U+2028 in
 * them do what their sender wants with the reader's screen. The idea: one function, at the two
 * edges where text leaves the program, that writes such characters as escapes of JSON and
 * JavaScript do. Limits: what only looks like something else stays as it is.
 *
 * @module
 */

/**
 * Control (C0, C1, DEL), format (bidi marks, zero-width and soft characters, tags), line and
 * paragraph separators, halves of pairs.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/**
 * What a program that writes for a terminal puts in by itself: ends of lines, and the tones of
 * `src/cli/display/style.ts`.
 */
// deno-lint-ignore no-control-regex
const LAYOUT = /\n|\x1b\[(?:[012]|3[123])m/g;

/** Writes every character that cannot be seen as `\uXXXX`. */
export function visibleText(text: string): string {
  return text.replaceAll(INVISIBLE, escape);
}

/** Does the same, but leaves ends of lines and colours. */
export function visibleLayout(text: string): string {
  let visible = "", from = 0;
  for (const { 0: kept, index } of text.matchAll(LAYOUT)) {
    visible += visibleText(text.slice(from, index)) + kept;
    from = index + kept.length;
  }
  return visible + visibleText(text.slice(from));
}

function escape(character: string): string {
  let escaped = "";
  for (let i = 0; i < character.length; i++) {
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
