/**
 * Writes the tables of a world as TOML.
 *
 * @module
 */

/** A value of a TOML table; what is undefined is left out. */
export type TomlValue =
  | string
  | number
  | boolean
  | Date
  | undefined
  | readonly TomlValue[]
  | TomlTable;

/** A TOML table. */
export interface TomlTable {
  readonly [key: string]: TomlValue;
}

/** Writes a document: plain keys first, then a section for each element of a list of tables. */
export function writeToml(document: TomlTable): string {
  const lines: string[] = [], sections: string[] = [];
  for (const [key, value] of Object.entries(document)) {
    if (Array.isArray(value) && value.every(isTable)) {
      for (const table of value) sections.push(`\n[[${key}]]`, ...keyLines(table));
    } else if (value !== undefined) {
      lines.push(`${key} = ${inline(value)}`);
    }
  }
  return [...lines, ...sections, ""].join("\n");
}

function keyLines(table: TomlTable): readonly string[] {
  return Object.entries(table).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} = ${inline(value)}`]
  );
}

function inline(value: TomlValue): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (isTable(value)) return `{ ${keyLines(value).join(", ")} }`;
  return String(value);
}

function isTable(value: TomlValue): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
}
