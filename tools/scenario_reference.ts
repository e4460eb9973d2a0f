/**
 * Makes the reference of the keys of a scenario in docs/simulation.md from the schema that reads
 * scenarios, so that the two cannot differ.
 *
 * @module
 */
import { wrapText } from "../src/base/wrap_text.ts";
import type { Key, Keys } from "../src/config/key.ts";
import { SCENARIO_SCHEMA } from "../src/simulation/scenario/schema.ts";
import { ROOT } from "./build_settings.ts";

/** Where the reference is kept, from the root. */
export const MANUAL = "docs/simulation.md";

const BEGIN =
  `<!-- What follows is written from src/simulation/scenario/ by "deno task docs". -->\n`;
const END = "<!-- End of what is written. -->\n";
/** The width to which lines are broken. */
const WIDTH = 100;

/** Returns the manual as it should be: what is written by hand, around the reference of now. */
export async function simulationManual(): Promise<string> {
  const text = await Deno.readTextFile(`${ROOT}${MANUAL}`);
  const above = text.slice(0, text.indexOf(BEGIN) + BEGIN.length);
  return `${above}\n${scenarioReference()}\n\n${text.slice(text.indexOf(END))}`;
}

/** Returns the reference in Markdown: a list for the top and one for each section. */
function scenarioReference(): string {
  const top = SCENARIO_SCHEMA.keys ?? {};
  const parts = [`### Top of the file\n\n${itemsOf(top)}`];
  let said: ReadonlySet<string> = new Set();
  for (const [name, key] of Object.entries(top)) {
    const keys = key.field.keys;
    if (keys === undefined) continue;
    const isList = key.field.wanted.startsWith("sections");
    const title = isList ? `[[${name}]]` : `[${name}]`;
    // The keys of a server are told once, where they come first.
    const own = Object.entries(keys).filter(([inner]) => !said.has(inner));
    const isRepeating = own.length < Object.keys(keys).length;
    const note = isRepeating ? "\n\nAlso the keys of `[server-defaults]`." : "";
    parts.push(
      `### ${title}\n\n${wrap(key.doc, "")}\n\n${itemsOf(Object.fromEntries(own))}${note}`,
    );
    if (name === "server-defaults") said = new Set(Object.keys(keys));
    if (name === "event") said = new Set();
  }
  return parts.join("\n\n");
}

function itemsOf(keys: Keys): string {
  const isTop = keys === SCENARIO_SCHEMA.keys;
  return Object.entries(keys)
    .filter(([, { field, doc }]) => field.keys === undefined || doc !== "")
    .map(([name, key]) => wrap(`- \`${name}\`: ${kindOf(key, isTop)}. ${key.doc}`))
    .join("\n");
}

/** What a key takes, and what holds without it. */
function kindOf({ field, required, otherwise }: Key<unknown>, isTop: boolean): string {
  const wanted = field.keys === undefined || isTop
    ? field.wanted
    : innerKeys(field.wanted, field.keys);
  if (required) return `${shorten(wanted)}, required`;
  return otherwise === "" ? shorten(wanted) : `${shorten(wanted)}; default: ${otherwise}`;
}

/** Leaves out the examples that the manual gives once for all. */
function shorten(wanted: string): string {
  return wanted.replace(/^(a duration[^:]*):.*$/, "$1")
    .replace(/^seconds as a number, or text such as .*$/, "a duration, with or without a sign");
}

function innerKeys(wanted: string, keys: Keys): string {
  const names = Object.keys(keys);
  if (names.length > 4) return `${wanted} with the keys of a path`;
  return `${wanted} with ${names.map((name) => `\`${name}\``).join(", ")}`;
}

function wrap(text: string, indent = "  "): string {
  return wrapText(text, { width: WIDTH, indent }).join("\n");
}
