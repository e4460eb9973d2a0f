/**
 * Colours: only on a terminal, never with NO_COLOR, and never the only carrier of a meaning.
 *
 * @module
 */

import { visibleText } from "../../base/visible_text.ts";

/** What text is about. */
export type Tone = "good" | "warning" | "bad" | "faint" | "strong";

const CODES: Readonly<Record<Tone, number>> = {
  good: 32,
  warning: 33,
  bad: 31,
  faint: 2,
  strong: 1,
};

/** Colours text, or leaves it alone. */
export type Paint = (text: string, tone: Tone) => string;

/** Returns a painter; without colours it returns its text. */
export function painter(color: boolean): Paint {
  return color ? (text, tone) => `\x1b[${CODES[tone]}m${text}\x1b[0m` : (text) => text;
}

/**
 * Writes characters that steer or hide as escapes: names and reasons may come from afar and must
 * not make lines of their own.
 */
export function plain(text: string): string {
  return visibleText(text);
}
