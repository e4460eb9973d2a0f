/**
 * Aligned columns of text.
 *
 * @module
 */

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
  return [titles, ...rows].map((row) => {
    const cells = columns.map((column, i) =>
      cell(row[i] ?? "", { width: widths[i] ?? 0, align: column.align })
    );
    return cells.join("  ").trimEnd();
  });
}

/** Breaks text into lines of at most `width` columns, each but the first after `indent`. */
export function wrapText(
  text: string,
  { width, indent = "" }: { readonly width: number; readonly indent?: string },
): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (displayLength(longer) > width && line.trim() !== "") {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line];
}

/** Counts the columns that text takes on a terminal, for the characters that we print. */
function displayLength(text: string): number {
  return [...text].length;
}

/** Cuts text at its end, but an address in its middle: its end tells it from its neighbours. */
function shorten(characters: readonly string[], width: number): string {
  const [start = ""] = /^(\S )?[0-9a-f:.[\]]+(?=\s|$)/i.exec(characters.join("")) ?? [];
  const tail = start.length > width ? Math.floor((width - 1) / 2) : 0;
  const kept = characters.slice(0, width - 1 - tail).join("");
  return `${kept}…${tail === 0 ? "" : start.slice(-tail)}`;
}

function cell(
  text: string,
  { width, align }: Pick<Column, "align"> & { readonly width: number },
): string {
  const characters = [...text];
  const cut = characters.length > width ? shorten(characters, width) : text;
  const space = " ".repeat(width - displayLength(cut));
  return align === "left" ? cut + space : space + cut;
}
