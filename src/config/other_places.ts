/**
 * Says where a key belongs that stands in the wrong section.
 *
 * @module
 */
import type { Keys } from "./key.ts";
import { sameSpelling } from "./nearest.ts";
import type { Section } from "./schema.ts";

/**
 * Returns a hint that names the sections, and the tables in them, that have a key of this name;
 * undefined if none has.
 */
export function otherPlaces(name: string, sections: readonly Section[]): string | undefined {
  const places = sections.flatMap(({ heading, keys }) => [
    ...(hasKey(keys, name) ? [heading] : []),
    ...Object.entries(keys).filter(([, { field }]) => hasKey(field.keys ?? {}, name))
      .map(([table]) => `${table} of ${heading}`),
  ]);
  return places.length === 0 ? undefined : `it belongs into ${places.join(" or ")}`;
}

function hasKey(keys: Keys, name: string): boolean {
  return Object.keys(keys).some((key) => sameSpelling(key) === sameSpelling(name));
}
