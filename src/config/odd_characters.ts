/**
 * Finds characters in a configuration that are invisible or only look like those of TOML: what word
 * processors, web pages and other systems' editors put into a text.
 *
 * Limits: comments may have them. A quoted text that needs one of the invisible ones may have it as
 * an escape, `\u00A0`.
 *
 * @module
 */
import type { ConfigError, ErrorText } from "./config_error.ts";
import { type Place, positionOf, scan } from "./scan.ts";

/** Of a place that is zero, or text, all along at least and at most this part is zero. */
const MOSTLY = 0.6, SELDOM = 0.2;
/** No more than so many are told one by one. */
const TOLD_MAX = 10;

const BLANKS = /^[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;
const INVISIBLE =
  /^[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]$/;
const QUOTES = /^[\u00ab\u00b4\u00bb\u2018-\u201f\u2032-\u2036\u2039\u203a\uff02\uff07`]$/;
const DASHES = /^[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]$/;
const REPLACEMENT = "\ufffd";
const BYTE_ORDER_MARK = "\ufeff";
/**
 * Control characters that TOML has no place for; the end of a line and the tabulator are none of
 * these.
 */
// deno-lint-ignore no-control-regex
const CONTROL = /^[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]$/;

/**
 * Returns an error for each odd character outside of comments; one for the whole text if it is
 * UTF-16.
 */
export function findOddCharacters(text: string): readonly ConfigError[] {
  const whole = textError(text);
  if (whole !== undefined) return [{ path: "", ...whole }];
  const errors: ConfigError[] = [];
  let count = 0;
  const visit = (at: number, place: Place) => {
    const character = text[at] ?? "";
    if (place === "comment" || (character === BYTE_ORDER_MARK && at === 0)) return;
    const error = hiddenError(character, place) ??
      (place === "code" ? lookalikeError(character) : undefined);
    if (error === undefined) return;
    if (++count <= TOLD_MAX) errors.push({ path: "", ...positionOf(text, at), ...error });
  };
  scan(text, { visit });
  if (count <= TOLD_MAX) return errors;
  const message = `There are ${count - TOLD_MAX} more characters of this kind`;
  return [...errors, { path: "", message }];
}

/** Tells whether a character is invisible, or stands for an octet that is not UTF-8. */
export function isInvisible(character: string): boolean {
  return BLANKS.test(character) || INVISIBLE.test(character) || CONTROL.test(character) ||
    character === REPLACEMENT;
}

/**
 * Returns in how many bits a text in ASCII is kept, if not in 8: then the zeros stand in the same
 * places all along, and text in the others.
 */
function widthOf(text: string): 16 | 32 | undefined {
  const start = [...text.slice(0, 4096)].map((character) => character === "\0");
  const textAt = (octets: number) => {
    const zeros = Array.from({ length: octets }, (_, place) => {
      const column = start.filter((_, i) => i % octets === place);
      return column.filter((isZero) => isZero).length / Math.max(1, column.length);
    });
    const full = zeros.filter((part) => part >= MOSTLY).length;
    return start.length > 2 * octets && full === octets - 1 && zeros.some((part) => part <= SELDOM);
  };
  if (isScattered(text)) return undefined;
  return textAt(4) ? 32 : textAt(2) ? 16 : undefined;
}

/** Tells whether there are control characters other than zeros among much of a text. */
function isScattered(text: string): boolean {
  const start = [...text.slice(0, 4096)];
  const controls = start.filter((one) => one !== "\0" && CONTROL.test(one)).length;
  return controls * 20 > start.length;
}

/**
 * What is no text at all has octets that are none of UTF-8's, or control characters, everywhere.
 */
function isBinary(text: string): boolean {
  const start = [...text.slice(0, 4096)];
  const controls = start.filter((character) => CONTROL.test(character)).length;
  const odd = controls + start.filter((character) => character === REPLACEMENT).length;
  return (odd > 4 || controls > 1) && odd * 10 > start.length;
}

/** Returns what is wrong with a text as a whole. */
function textError(text: string): Omit<ConfigError, "path"> | undefined {
  const width = widthOf(text);
  if (width !== undefined) {
    return {
      message: `The text is UTF-${width}, wanted UTF-8`,
      suggestion: `save it as UTF-8, or convert it by "iconv -f UTF-${width} -t UTF-8"`,
    };
  }
  if (isBinary(text)) return { message: "This is not a text, wanted TOML in UTF-8" };
  const bareReturn = text.search(/\r(?!\n)/);
  if (bareReturn < 0) return undefined;
  return {
    ...positionOf(text, bareReturn),
    message: "A line ends with a carriage return alone, U+000D",
    suggestion: "save the file with the line endings of Unix, or of Windows",
  };
}

/** Returns what is wrong with a character that is not seen, or not seen for what it is. */
function hiddenError(character: string, place: Place): ErrorText | undefined {
  if (character === REPLACEMENT) {
    return { message: "An octet here is not UTF-8", suggestion: "save the file as UTF-8" };
  }
  const name = codeName(character);
  if (BLANKS.test(character)) {
    return {
      message: `The blank here is ${name}, not a space`,
      suggestion: place === "code" ? "replace it by a space" : meantSo(character),
    };
  }
  if (INVISIBLE.test(character)) {
    return {
      message: `There is an invisible character here, ${name}`,
      suggestion: place === "code" ? "remove it" : meantSo(character),
    };
  }
  if (!CONTROL.test(character)) return undefined;
  return { message: `There is a control character here, ${name}`, suggestion: "remove it" };
}

/** Returns what is wrong with a character that only looks like one of TOML. */
function lookalikeError(character: string): ErrorText | undefined {
  const name = codeName(character);
  if (QUOTES.test(character)) {
    return {
      message: `The quotation mark ${character} is ${name}`,
      suggestion: `write the straight one: "`,
    };
  }
  if (!DASHES.test(character)) return undefined;
  return { message: `The dash ${character} is ${name}`, suggestion: "write the hyphen: -" };
}

function meantSo(character: string): string {
  const code = codeOf(character);
  return `remove it, or write \\u${code} in double quotes if it is meant`;
}

function codeName(character: string): string {
  return `U+${codeOf(character)}`;
}

function codeOf(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
}
