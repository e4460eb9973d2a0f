/**
 * Says where a key belongs that stands in the wrong section.
 *
 * @module
 */
import type { Key, Keys } from "./field.ts";
import { sameSpelling } from "./nearest.ts";

/** Returns a hint that names the sections, and the tables in them, that have a key of this name; undefined if none has. */
export function otherPlaces(name: string, sections: Keys): string | undefined {
  const places: string[] = [];
  for (const [section, key] of Object.entries(sections)) {
    const keys = key.field.keys ?? {};
    const heading = isList(key) ? `[[${section}]]` : `[${section}]`;
    if (hasKey(keys, name)) places.push(heading);
    for (const [table, { field }] of Object.entries(keys)) {
      if (hasKey(field.keys ?? {}, name)) places.push(`${table} of ${heading}`);
    }
  }
  return places.length === 0 ? undefined : `it belongs into ${places.join(" or ")}`;
}

/** Tells whether there may be many sections of a name. */
export function isList({ field }: Key<unknown>): boolean {
  return field.wanted.startsWith("sections");
}

function hasKey(keys: Keys, name: string): boolean {
  return Object.keys(keys).some((key) => sameSpelling(key) === sameSpelling(name));
}
