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
import { builtName, type Keys, type PathUse } from "./key.ts";
import { type Section, sectionOf, SECTIONS } from "./schema.ts";

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
  return sections.flatMap((section) =>
    tablesOf(section, config).flatMap((table) => pathsOf(section.keys, table))
  );
}

/** What the program uses of one table. */
interface Table {
  /** Its name, `source[0]`. */
  readonly name: string;
  readonly built: Readonly<Record<string, unknown>>;
}

function tablesOf({ name, identity }: Section, config: Config): readonly Table[] {
  const built = sectionOf(config, name);
  if (identity === undefined) return [{ name, built: { ...Object(built) } }];
  const entries = Array.isArray(built) ? built : [];
  return entries.map((entry, i) => ({ name: `${name}[${i}]`, built: { ...entry } }));
}

function pathsOf(keys: Keys, { name, built }: Table): readonly NamedPath[] {
  return Object.entries(keys).flatMap(([key, { field }]): readonly NamedPath[] => {
    const path = built[builtName(key)];
    if (field.path === undefined || typeof path !== "string") return [];
    return [{ key: `${name}.${key}`, path, use: field.path }];
  });
}
