/**
 * All paths that a configuration names.
 *
 * The problem: a path matters to the check for conflicts, to the check of files, to the preparation
 * of files before the user changes, and to the warning of open secrets; a key that one of them does
 * not know fails only there. The idea: the key itself says what its path is (`fileToRead`,
 * `stateFile` and `stateFolder` in `field.ts`), and these four ask for all paths here. Limits: keys
 * of sections, not those of tables or lists within them; `named_path_test.ts` checks that there are
 * none.
 *
 * @module
 */
import type { Config } from "./config.ts";
import { builtName, type PathUse } from "./key.ts";
import { type RawConfig, type Section, sectionOf, SECTIONS } from "./schema.ts";

/** A path of the configuration. */
export interface NamedPath {
  /** The key, `source[0].certificate-authority`. */
  readonly key: string;
  /** As it is written. */
  readonly path: string;
  /** What ntpsd does with it. */
  readonly use: PathUse;
}

/** Returns all paths of a configuration, in the order of the sections and their keys. */
export function namedPaths(
  config: Config,
  sections: readonly Section[] = SECTIONS,
): readonly NamedPath[] {
  const valueOf = (name: string) => sectionOf(config, name);
  return pathsIn(sections, { valueOf, memberOf: builtName });
}

/**
 * Returns all paths of a configuration as it is read: of sections with errors too, so that each is
 * named by its place in the text.
 */
export function writtenPaths(raw: RawConfig): readonly NamedPath[] {
  const values: Readonly<Record<string, unknown>> = raw;
  return pathsIn(SECTIONS, { valueOf: (name) => values[name], memberOf: (key) => key });
}

/** How the values of a configuration are reached. */
interface Access {
  /** Returns a section, or the list of sections with this name. */
  readonly valueOf: (section: string) => unknown;
  /** Returns the name of the member that has the value of a key. */
  readonly memberOf: (key: string) => string;
}

function pathsIn(
  sections: readonly Section[],
  { valueOf, memberOf }: Access,
): readonly NamedPath[] {
  return sections.flatMap((section) =>
    tablesOf(section, valueOf(section.name)).flatMap(({ name, members }) =>
      Object.entries(section.keys).flatMap(([key, { field }]): readonly NamedPath[] => {
        const path = members[memberOf(key)];
        if (field.path === undefined || typeof path !== "string") return [];
        return [{ key: `${name}.${key}`, path, use: field.path }];
      })
    )
  );
}

/** One table with a section's keys. */
interface Table {
  /** Its name, `source[0]`. */
  readonly name: string;
  readonly members: Readonly<Record<string, unknown>>;
}

function tablesOf({ name, identity }: Section, value: unknown): readonly Table[] {
  if (identity === undefined) return [{ name, members: { ...Object(value) } }];
  const entries = Array.isArray(value) ? value : [];
  return entries.map((entry, i) => ({ name: `${name}[${i}]`, members: { ...entry } }));
}
