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
    Math.max(column.title.length, ...rows.map((row) => displayLength(row[i] ?? "")))
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

/** Cuts texts that are too wide, so that those that differ still do. */
function shortenAll(texts: readonly string[], width: number): readonly string[] {
  if (texts.every((text) => displayLength(text) <= width)) return texts;
  const cuts = new Map(texts.map((text) => [text, cutOnce([...text], width)]));
  tellApart(cuts, width);
  return texts.map((text) => cuts.get(text) ?? text);
}

function cutOnce(characters: readonly string[], width: number): string {
  return characters.length > width ? shorten(characters, width) : characters.join("");
}

/** Cuts texts whose cuts are the same anew, around the first place where they differ. */
function tellApart(cuts: Map<string, string>, width: number): void {
  const alike = Map.groupBy(cuts.keys(), (text) => cuts.get(text));
  for (const group of alike.values()) {
    if (group.length < 2) continue;
    const members = group.map((text) => [...text]);
    const [first = []] = members;
    const place = first.findIndex((sign, i) => members.some((other) => other[i] !== sign));
    const at = place < 0 ? first.length : place;
    const anew = new Map(
      group.map((text, i) => [text, cutAround(members[i] ?? [], { width, at })]),
    );
    // a cut that parts none of them is the last
    if (new Set(anew.values()).size > 1) tellApart(anew, width);
    for (const [text, cut] of anew) cuts.set(text, cut);
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
