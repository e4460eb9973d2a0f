/**
 * Readers of tables and of lists of sections.
 *
 * The problem: a misspelt key must not be ignored, and a misspelt heading must not hide the errors
 * below it. The idea: a table knows all its keys, answers every other one with what was probably
 * meant, and reads on below it.
 *
 * @module
 */
import { type ConfigPath, isTable } from "./config_path.ts";
import {
  type Field,
  type Keys,
  optional,
  type Row,
  type SectionKey,
  type SectionKeys,
  type SectionsKey,
} from "./key.ts";
import { nearest, sameSpelling } from "./nearest.ts";

/** Reads a table with known keys; every other key is reported with what was probably meant. */
export function table<Definitions extends Keys>(
  keys: Definitions,
): Field<Row<Definitions>> {
  return {
    wanted: "a table",
    keys,
    read(value, at) {
      if (!isTable(value)) return at.wanted(this.wanted, value, tableForm(at.path, keys));
      const row: Record<string, unknown> = {};
      for (const [name, key] of Object.entries(keys)) {
        const entry = value[name];
        if (entry !== undefined) row[name] = key.field.read(entry, at.key(name));
        else if (key.required) at.report(`Missing "${name}": ${key.field.wanted}`);
      }
      for (const [name, entry] of Object.entries(value)) {
        if (!Object.hasOwn(keys, name)) reportUnknown(keys, { name, entry, at });
      }
      return row as Row<Definitions>;
    },
  };
}

function reportUnknown(
  keys: Keys,
  { name, entry, at }: {
    readonly name: string;
    readonly entry: unknown;
    readonly at: ConfigPath;
  },
): void {
  const hints = respelt(name, keys) ?? at.diagnostics.unknownKeyHint(name) ?? meant(name, keys);
  at.key(name).report("Unknown key", hints);
  // A misspelt heading must not hide what is wrong below it.
  const near = nearest(name, Object.keys(keys));
  const field = near === undefined ? undefined : keys[near]?.field;
  if (field?.keys !== undefined && isTableOrTables(entry)) field.read(entry, at.key(name));
}

/** Makes a section of the configuration, `[name]`; `doc` says what it is for. */
export function section<Definitions extends SectionKeys>(
  keys: Definitions,
  doc: string,
): SectionKey<Definitions> {
  return optional(table(keys), { otherwise: "", doc });
}

/** Makes the sections `[[name]]` of the configuration, which the key `identity` tells apart. */
export function sectionList<Definitions extends SectionKeys>(
  keys: Definitions,
  { identity, doc }: { readonly identity: keyof Definitions & string; readonly doc: string },
): SectionsKey<Definitions> {
  return optional(sections(table(keys), identity), { otherwise: "", doc });
}

/**
 * Reads `[[name]]` sections, which the value of the key `identity` tells apart; a section that is
 * no table at all stays in the list as undefined, so that indices hold.
 */
export function sections<Definitions extends Keys>(
  section: Field<Row<Definitions>>,
  identity: keyof Definitions & string,
): Field<readonly (Row<Definitions> | undefined)[]> {
  const wanted = "sections in double brackets";
  return {
    wanted,
    identity,
    ...(section.keys === undefined ? {} : { keys: section.keys }),
    read(value, at) {
      if (Array.isArray(value)) return value.map((entry, i) => section.read(entry, at.index(i)));
      if (!isTable(value)) {
        return at.wanted(
          wanted,
          value,
          `write [[${at.path}]] on a line of its own, and its keys below`,
        );
      }
      at.wanted(wanted, value, `write [[${at.path}]] instead of [${at.path}]`);
      // single brackets must not hide what is wrong below them
      section.read(value, at);
      return undefined;
    },
  };
}

/**
 * Says how a table is written: a section by its heading, another one by the keys that it must have,
 * or else by the first two.
 */
function tableForm(path: string, keys: Keys): string {
  if (/^[\w-]+$/.test(path)) return `write [${path}] on a line of its own, and its keys below`;
  const names = Object.keys(keys);
  const needed = names.filter((name) => keys[name]?.required);
  const told = needed.length > 0 ? needed : names.slice(0, 2);
  const pairs = told.map((name) =>
    `${name} = ${keys[name]?.field.wanted.startsWith("a list") ? "[...]" : "..."}`
  );
  return `write { ${pairs.join(", ")} }`;
}

/** Returns a hint if the name differs from a key in capitals, hyphens and underscores alone. */
function respelt(name: string, keys: Keys): string | undefined {
  const found = Object.keys(keys).find((key) => sameSpelling(key) === sameSpelling(name));
  return found === undefined ? undefined : `did you mean "${found}"?`;
}

function meant(name: string, keys: Keys): string {
  const near = nearest(name, Object.keys(keys));
  if (near !== undefined) return `did you mean "${near}"?`;
  return `known here: ${Object.keys(keys).join(", ")}`;
}

function isTableOrTables(value: unknown): boolean {
  return isTable(value) || (Array.isArray(value) && value.every(isTable));
}
