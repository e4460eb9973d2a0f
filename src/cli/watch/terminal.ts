/**
 * What `ntpsd watch` needs of a terminal.
 *
 * @module
 */

/** A key that means something. */
export type Key = "up" | "down" | "enter" | "back" | "sort" | "quit" | "other";

/** A terminal that is drawn on as a whole. */
export interface Terminal {
  /** Whether it shows signs beyond ASCII. */
  readonly isUnicode: boolean;
  /** Its size now; the smallest that is drawn on is 40 by 5. */
  size(): { readonly columns: number; readonly rows: number };
  /** Takes the screen: what was there comes back with `close`. */
  open(): void;
  /** Gives the screen back. Harmless when it was not taken. */
  close(): void;
  /** Draws lines from the top, in place of all that was there. */
  draw(lines: readonly string[]): void;
  /** Waits for a key, but not for longer than so many milliseconds; undefined when none comes. */
  key(milliseconds: number): Promise<Key | undefined>;
}

const ESCAPE = 0x1b;

/** The keys by the octets that a terminal sends. */
const SEQUENCES: ReadonlyMap<string, Key> = new Map([
  ["\x1b[A", "up"],
  ["\x1bOA", "up"],
  ["k", "up"],
  ["\x1b[B", "down"],
  ["\x1bOB", "down"],
  ["j", "down"],
  ["\r", "enter"],
  ["\n", "enter"],
  ["\x1b", "back"],
  ["\x7f", "back"],
  ["s", "sort"],
  ["q", "quit"],
  ["\x03", "quit"],
  ["\x04", "quit"],
]);

/** Tells which key octets of a terminal are; the first, if there are several. */
export function keyOf(octets: Uint8Array): Key {
  const text = String.fromCharCode(...octets.subarray(0, 8));
  const length = octets[0] === ESCAPE ? text.length : 1;
  for (let end = Math.min(length, 3); end > 0; end--) {
    const key = SEQUENCES.get(text.slice(0, end));
    if (key !== undefined && (key !== "back" || text.length === 1)) return key;
  }
  return "other";
}
