/**
 * Prints a draft as an ntpsd.toml: the sections in the order of the reference, and what has no
 * equivalent as comments.
 *
 * @module
 */
import { visibleText } from "../base/visible_text.ts";
import { SECTIONS } from "../config/schema.ts";
import type { Draft, DraftTable, ListName, Remark, Value } from "./draft.ts";

/** Returns the text of a draft; `from` says what it was made from. */
export function writeDraft(draft: Draft, from: string): string {
  const known = SECTIONS.map(({ name }) => name);
  const others = [...draft.sections.keys()].filter((name) => !known.includes(name));
  const blocks = [...known, ...others].flatMap((name) =>
    Object.hasOwn(draft.lists, name)
      ? draft.lists[name as ListName].map((table) => block(`[[${name}]]`, table))
      : section(draft, name)
  );
  const head = [`# Made by "ntpsd convert" from ${visibleText(from)}.`];
  const rest = draft.remarks.length === 0
    ? []
    : [["# Without equivalent:", ...draft.remarks.flatMap(comments)].join("\n")];
  return `${[head.join("\n"), ...blocks, ...rest].join("\n\n")}\n`;
}

function section(draft: Draft, name: string): readonly string[] {
  const table = draft.sections.get(name);
  return table === undefined || table.values.size + table.remarks.length === 0
    ? []
    : [block(`[${writeKey(name)}]`, table)];
}

function block(heading: string, { values, remarks }: DraftTable): string {
  // A section of which nothing is left is there no more; what was in it is told.
  const lines = values.size === 0
    ? []
    : [heading, ...[...values].map(([key, value]) => `${writeKey(key)} = ${writeValue(value)}`)];
  return [...remarks.flatMap(comments), ...lines].join("\n");
}

function comments({ place, reason }: Remark): readonly string[] {
  const sentence = `#   ${visibleText(reason)}`;
  if (place === undefined) return [sentence.replace("#   ", "# ")];
  const text = place.text.length > 200 ? `${place.text.slice(0, 197)}...` : place.text;
  return [`# ${visibleText(`${place.file}:${place.line}: ${text}`)}`, sentence];
}

function writeKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : writeText(key);
}

/** Writes a value in TOML. */
export function writeValue(value: Value): string {
  if (typeof value === "string") return writeText(value);
  if (typeof value === "number") return writeNumber(value);
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map((each) => writeValue(each)).join(", ")}]`;
  const pairs = Object.entries(value).map(([key, part]) =>
    `${writeKey(key)} = ${writeValue(part)}`
  );
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

/** JSON's escapes are TOML's; characters that no text may hold are escaped too. */
function writeText(text: string): string {
  return visibleText(JSON.stringify(text.toWellFormed()));
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : value < 0 ? "-inf" : "nan";
  // TOML wants digits on both sides of a dot, and knows no integer beyond 64 bits.
  return /^-?\d{1,15}(\.\d+)?$/.test(String(value)) ? String(value) : value.toExponential();
}
