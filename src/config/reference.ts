/**
 * Prints the reference of all keys from the schema that reads them, so that the two cannot differ.
 *
 * @module
 */
import type { Key, Keys } from "./field.ts";
import { isList } from "./other_places.ts";
import { SCHEMA } from "./schema.ts";

/** The width to which lines are broken. */
const WIDTH = 120;

/** Returns the reference as Markdown that can be read as it is; one heading for each section, one item for each key. */
export function configurationReference(): string {
  return Object.entries(SCHEMA.keys ?? {}).map(([name, key]) => section(name, key)).join("\n");
}

/** Returns the part of the reference that is about a section, or about a key in each section that has it; undefined if there is none. */
export function referenceOf(word: string): string | undefined {
  const sections = SCHEMA.keys ?? {};
  const own = Object.hasOwn(sections, word) ? sections[word] : undefined;
  if (own !== undefined) return section(word, own);
  const parts = Object.entries(sections).flatMap(([name, { field, ...rest }]) => {
    const keys = field.keys ?? {};
    const key = Object.hasOwn(keys, word) ? keys[word] : undefined;
    if (key === undefined) return [];
    return [section(name, { ...rest, field: { ...field, keys: { [word]: key } } })];
  });
  return parts.length === 0 ? undefined : parts.join("\n");
}

/** Returns the names of all sections and keys. */
export function configurationWords(): readonly string[] {
  return Object.entries(SCHEMA.keys ?? {}).flatMap(([name, { field }]) => [
    name,
    ...Object.keys(field.keys ?? {}),
  ]);
}

function section(name: string, key: Key<unknown>): string {
  const heading = isList(key) ? `[[${name}]]` : `[${name}]`;
  const items = itemsOf(key.field.keys ?? {}, "");
  return [`## \`${heading}\``, "", ...wrap(key.doc, ""), "", ...items, ""].join("\n");
}

/** Returns the items of a table, those of a table within it after its own. */
function itemsOf(keys: Keys, prefix: string): readonly string[] {
  return Object.entries(keys).flatMap(([name, key]) => [
    ...wrap(`- \`${prefix}${name}\`: ${kind(key)}. ${key.doc}`, "  "),
    ...itemsOf(key.field.keys ?? {}, `${prefix}${name}.`),
  ]);
}

function kind({ field, required, otherwise }: Key<unknown>): string {
  // A table is told by its keys, and examples that are the same everywhere are told once in the text above.
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

function wrap(text: string, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > WIDTH && line !== "") {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line];
}
