/**
 * The keys of a scenario file as tables for the manual, made from the schema so that they cannot
 * differ from it.
 *
 * @module
 */
import type { Keys } from "../../src/config/key.ts";
import { SCENARIO_SCHEMA } from "../../src/simulation/scenario/schema.ts";

/** Returns the reference in Markdown: a table for the top and one for each section. */
export function scenarioReference(): string {
  const top = SCENARIO_SCHEMA.keys ?? {};
  const parts = [`### Top of the file\n\n${keyTable(top)}`];
  let said: ReadonlySet<string> = new Set();
  for (const [name, key] of Object.entries(top)) {
    const keys = key.field.keys;
    if (keys === undefined) continue;
    const isList = key.field.wanted.startsWith("sections");
    const title = isList ? `[[${name}]]` : `[${name}]`;
    // The keys of a server are told once, where they come first.
    const own = Object.entries(keys).filter(([inner]) => !said.has(inner));
    const isRepeating = own.length < Object.keys(keys).length;
    const note = isRepeating ? "\n\nand the keys of `[server-defaults]`." : "";
    parts.push(`### ${title}\n\n${key.doc}\n\n${keyTable(Object.fromEntries(own))}${note}`);
    if (name === "server-defaults") said = new Set(Object.keys(keys));
    if (name === "event") said = new Set();
  }
  return parts.join("\n\n");
}

function keyTable(keys: Keys): string {
  const rows = Object.entries(keys).filter(([, key]) =>
    key.field.keys === undefined || key.doc !== ""
  )
    .map(([name, { field, required, doc, otherwise }]) => {
      const without = required ? "must be written" : otherwise === "" ? "-" : otherwise;
      const isSection = field.keys !== undefined && name in (SCENARIO_SCHEMA.keys ?? {}) &&
        keys === SCENARIO_SCHEMA.keys;
      const wanted = field.keys === undefined || isSection
        ? field.wanted
        : innerKeys(field.wanted, field.keys);
      return `| \`${name}\` | ${cell(shorten(wanted))} | ${cell(without)} | ${cell(doc)} |`;
    });
  return ["| key | value | without it | what it does |", "|---|---|---|---|", ...rows].join("\n");
}

/** Leaves out the examples that the manual gives once for all. */
function shorten(wanted: string): string {
  return wanted.replace(/^(a duration[^:]*):.*$/, "$1")
    .replace(/^seconds as a number, or text such as .*$/, "a time, with a sign if need be");
}

function innerKeys(wanted: string, keys: Keys): string {
  const names = Object.keys(keys);
  if (names.length > 4) return `${wanted} with the keys of a path`;
  return `${wanted}: ${names.map((name) => `\`${name}\``).join(", ")}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
