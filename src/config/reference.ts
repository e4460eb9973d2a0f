/**
 * Prints the reference of all keys from the schema that reads them, so that the two cannot differ.
 *
 * @module
 */
import { wrapText } from "../base/wrap_text.ts";
import type { Key, Keys } from "./key.ts";
import { BEFORE_SECTIONS, type Section, SECTIONS } from "./schema.ts";

/** The width to which the lines of the document are broken. */
const DOCUMENT_WIDTH = 120;

const ALL: readonly Section[] = [BEFORE_SECTIONS, ...SECTIONS];

/**
 * Returns the reference as Markdown that can be read as it is; one heading for each section, one
 * item for each key; the lines are at most `width` columns long.
 */
export function configurationReference(width: number = DOCUMENT_WIDTH): string {
  return ALL.map((section) => sectionReference(section, width)).join("\n");
}

/**
 * Returns the part of the reference that is about a section, or about a key in each section that
 * has it; undefined if there is none.
 */
export function referenceOf(word: string, width: number): string | undefined {
  const own = SECTIONS.find(({ name }) => name === word);
  if (own !== undefined) return sectionReference(own, width);
  const parts = ALL.flatMap((section) => {
    const key = Object.hasOwn(section.keys, word) ? section.keys[word] : undefined;
    return key === undefined
      ? []
      : [sectionReference({ ...section, keys: { [word]: key } }, width)];
  });
  return parts.length === 0 ? undefined : parts.join("\n");
}

/** Returns the names of all sections and keys. */
export function configurationWords(): readonly string[] {
  return ALL.flatMap(({ name, keys }) => [...name === "" ? [] : [name], ...Object.keys(keys)]);
}

/** Returns the part of the reference that is about one section. */
export function sectionReference(
  { heading, doc, keys }: Section,
  width: number = DOCUMENT_WIDTH,
): string {
  const title = heading === "" ? "Before the sections" : `\`${heading}\``;
  const lines = [`## ${title}`, "", ...wrapText(doc, { width }), ""];
  return [...lines, ...itemsOf(keys, { prefix: "", width }), ""].join("\n");
}

/** Returns the items of a table, those of a table within it after its own. */
function itemsOf(
  keys: Keys,
  { prefix, width }: { readonly prefix: string; readonly width: number },
): readonly string[] {
  return Object.entries(keys).flatMap(([name, key]) => [
    ...wrapText(`- \`${prefix}${name}\`: ${kind(key)}. ${key.doc}`, { indent: "  ", width }),
    ...itemsOf(key.field.keys ?? {}, { prefix: `${prefix}${name}.`, width }),
  ]);
}

function kind({ field, required, otherwise }: Key<unknown>): string {
  // A table is told by its keys, and examples that are the same everywhere are told once in the
  // text above.
  const wanted = field.keys === undefined
    ? field.wanted
    : field.wanted.replace(/,? ?(or )?a table$/, "");
  const short = wanted.replaceAll(
    /: seconds as a number, or text such as "250ms", "90s" or "4w"/g,
    "",
  )
    .replaceAll(/ \("[^)]*\)/g, "");
  const words = field.keys !== undefined && !required
    ? [short, "a table"].filter(Boolean).join(" or ")
    : short;
  if (required) return `${words}, required`;
  return otherwise === "" ? words : `${words}; default: ${otherwise}`;
}
