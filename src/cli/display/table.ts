/**
 * Aligned columns of text.
 *
 * @module
 */
import { displayLength } from "../../base/wrap_text.ts";

/** One column. */
export interface Column {
  /** The word at the top. */
  readonly title: string;
  /** Where shorter text stands. */
  readonly align: "left" | "right";
  /** Whether the column gives way when the table is wider than it may be. */
  readonly shrinks?: boolean;
}

/** The width of sentences, and of tables where there is no terminal. */
export const PAGE_WIDTH = 80;
/** The narrowest that a shrinking column becomes. */
const SHRUNK_MIN = 12;

/**
 * Lays out rows under their titles, two spaces apart, within `width` columns if one column can give
 * way.
 */
export function layOutTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width = Infinity }: { readonly width?: number | undefined } = {},
): readonly string[] {
  const widths = columns.map((column, i) =>
    rows.reduce((most, row) => Math.max(most, displayLength(row[i] ?? "")), column.title.length)
  );
  const total = widths.reduce((sum, w) => sum + w, 0) + 2 * (columns.length - 1);
  const shrinking = columns.findIndex((column) => column.shrinks === true);
  if (total > width && shrinking >= 0) {
    widths[shrinking] = Math.max(SHRUNK_MIN, (widths[shrinking] ?? 0) - (total - width));
  }
  const titles = columns.map((column) => column.title);
  const lines = [titles, ...rows];
  const cells = columns.map(({ align }, i) => {
    const width = widths[i] ?? 0;
    return shortenAll(lines.map((row) => row[i] ?? ""), width).map((text) => {
      const space = " ".repeat(width - displayLength(text));
      return align === "left" ? text + space : space + text;
    });
  });
  return lines.map((_, row) => cells.map((column) => column[row] ?? "").join("  ").trimEnd());
}

/**
 * Cuts texts that are too wide, so that those that differ still do: at the end, then around places
 * where those that are still alike differ, and what is alike after that is numbered. Each step
 * looks once at every text, however many there are.
 */
function shortenAll(texts: readonly string[], width: number): readonly string[] {
  if (texts.every((text) => displayLength(text) <= width)) return texts;
  const cuts = new Map<string, string>(), taken = new Set<string>();
  let alike: readonly (readonly Text[])[] = [
    [...new Set(texts)].map((whole) => ({ whole, characters: [...whole] })),
  ];
  const keepUnlike = (tried: readonly (readonly [Text, string])[]) => {
    const groups = Map.groupBy(tried, ([, cut]) => cut);
    alike = [...groups].flatMap(([cut, [only, ...others]]) => {
      if (only === undefined) return [];
      if (others.length > 0 || taken.has(cut)) return [[only, ...others].map(([text]) => text)];
      taken.add(cut);
      cuts.set(only[0].whole, cut);
      return [];
    });
  };
  keepUnlike(alike.flat().map((text) => [text, cutOnce(text.characters, width)]));
  for (let round = 0; round < ROUNDS && alike.length > 0; round++) {
    keepUnlike(alike.flatMap((group) => {
      const at = commonLength(group);
      return group.map((text) => [text, cutAround(text.characters, { width, at })] as const);
    }));
  }
  for (const { whole, characters } of alike.flat()) {
    cuts.set(whole, numbered(characters, { width, taken }));
  }
  return texts.map((text) => cuts.get(text) ?? text);
}

/** A text that is cut. */
interface Text {
  readonly whole: string;
  readonly characters: readonly string[];
}

/** So often texts are cut around another place. */
const ROUNDS = 4;

function cutOnce(characters: readonly string[], width: number): string {
  return characters.length > width ? shorten(characters, width) : characters.join("");
}

/** Returns at how many characters all texts begin alike: as the first and the last of them do. */
function commonLength(texts: readonly Text[]): number {
  let first = texts[0]?.whole ?? "", last = first;
  for (const { whole } of texts) {
    if (whole < first) first = whole;
    else if (whole > last) last = whole;
  }
  const others = [...last], characters = [...first];
  const place = characters.findIndex((sign, i) => others[i] !== sign);
  return place < 0 ? characters.length : place;
}

/** Cuts text to its beginning and the next number with which it is like none that is taken. */
function numbered(
  characters: readonly string[],
  { width, taken }: { readonly width: number; readonly taken: Set<string> },
): string {
  for (let number = taken.size + 1;; number++) {
    const end = `…#${number}`;
    const cut = `${characters.slice(0, Math.max(0, width - displayLength(end))).join("")}${end}`;
    if (taken.has(cut)) continue;
    taken.add(cut);
    return cut;
  }
}

/** Cuts text to its beginning, and what stands at a place: to the end if that is near. */
function cutAround(
  characters: readonly string[],
  { width, at }: { readonly width: number; readonly at: number },
): string {
  const text = (from: number, to?: number) => characters.slice(from, to).join("");
  if (characters.length <= width) return text(0);
  if (at < width - 1) return `${text(0, width - 1)}…`;
  const tail = Math.ceil((width - 1) / 2);
  if (at >= characters.length - tail) return `${text(0, width - 1 - tail)}…${text(-tail)}`;
  const shown = Math.ceil((width - 2) / 2);
  return `${text(0, width - 2 - shown)}…${text(at, at + shown)}…`;
}

/** Cuts text at its end, but an address in its middle: its end tells it from its neighbours. */
function shorten(characters: readonly string[], width: number): string {
  const [start = ""] = /^(\S )?[0-9a-f:.[\]]+(?=\s|$)/i.exec(characters.join("")) ?? [];
  const tail = start.length > width ? Math.floor((width - 1) / 2) : 0;
  const kept = characters.slice(0, width - 1 - tail).join("");
  return `${kept}…${tail === 0 ? "" : start.slice(-tail)}`;
}
