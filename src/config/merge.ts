/**
 * Makes one configuration of the tables of several files, and knows which file each key is from.
 *
 * The idea: lists of sections are put one behind the other, keys are put into the section of their
 * name; so whatever reads the whole need not know of files, and a path of the whole,
 * `source[3].address`, is led back here to the file, its own path there and the line. Limits: a key
 * that two files have is an error, whatever its values.
 *
 * @module
 */
import type { ConfigError } from "./config_error.ts";
import { isTable } from "./config_path.ts";
import { indexLines, joinPath, lineOf } from "./line_index.ts";

/** The place of a key: its path in its own file, its line, and the file if it is included. */
export type Place = Pick<ConfigError, "path" | "line" | "file">;

/** The tables of one file, to be put together with others. */
export interface Part {
  /** Where it was read from, if it was. */
  readonly file: string | undefined;
  /** Its text. */
  readonly text: string;
  /** Its tables. */
  readonly table: Readonly<Record<string, unknown>>;
}

/** What tells a section of a list apart from others. */
export interface Identity {
  /** Equal for sections about the same. */
  readonly name: string;
  /** Whether it says nothing beside, and is left out where another section has the same name. */
  readonly isBare: boolean;
}

/** Returns what tells a section apart; undefined where it is judged with all others. */
export type Identify = (list: string, section: unknown) => Identity | undefined;

/** A section of a list in its own file. */
interface Origin {
  readonly part: number;
  readonly index: number;
}

type Table = Record<string, unknown>;

/** The tables of all files as one. */
export class MergedTables {
  readonly #parts: readonly Part[];
  readonly #identify: Identify;
  readonly #lines: readonly ReadonlyMap<string, number>[];
  readonly #table: Table = emptyTable();
  /** Where the sections of each list are from, in their order. */
  readonly #origins = new Map<string, Origin[]>();
  /** The part that a section, or a key of one, is from, by its path. */
  readonly #owners = new Map<string, number>();
  /** The sections for which bare ones of included files are left out, by their names. */
  readonly #kept = new Map<string, Origin & { readonly list: string }>();
  /** What two files say, each at the later one. */
  readonly errors: ConfigError[] = [];
  /** What a later file says again and is left out. */
  readonly notes: ConfigError[] = [];

  /** Puts the parts together, in their order. */
  constructor(parts: readonly Part[], identify: Identify = () => undefined) {
    this.#parts = parts;
    this.#identify = identify;
    this.#lines = parts.map(({ text }) => indexLines(text));
    if (parts.length > 1) this.#findKept();
    for (const [i, { table }] of parts.entries()) {
      for (const [name, value] of Object.entries(table)) this.#add(name, { value, part: i });
    }
  }

  /** All of it as one table. */
  get table(): Readonly<Record<string, unknown>> {
    return this.#table;
  }

  /** Whether there is no key in any file. */
  get isEmpty(): boolean {
    return this.#lines.every((lines) => lines.size === 0);
  }

  /** Returns where a path of the whole stands. */
  placeOf(path: string): Place {
    const [, name = "", index = "", rest = ""] = /^([^.[\]]+)\[(\d+)\](.*)$/.exec(path) ?? [];
    const origin = this.#origins.get(name)?.[Number(index)];
    return origin === undefined
      ? this.#placeIn(this.#ownerOf(path), path)
      : this.#placeIn(origin.part, `${name}[${origin.index}]${rest}`);
  }

  /** Gives an error its place, if it has none yet. */
  locate(error: ConfigError): ConfigError {
    const isLocated = error.line !== undefined || error.file !== undefined;
    return isLocated ? error : { ...error, ...this.placeOf(error.path) };
  }

  #add(name: string, { value, part }: { readonly value: unknown; readonly part: number }): void {
    const known = this.#table[name];
    if (isTables(value) && (known === undefined || isTables(known))) {
      this.#table[name] = [...known ?? [], ...this.#newSections(name, { sections: value, part })];
    } else if (isTable(value) && (known === undefined || isTable(known))) {
      this.#table[name] = this.#withKeys(name, { known, value, part });
    } else if (known === undefined) this.#table[name] = value;
    else if (isTables(value) || isTables(known)) return this.#reportForm(name, { known, part });
    else return this.#reportRepeated(name, part);
    if (!this.#owners.has(name)) this.#owners.set(name, part);
  }

  /** Returns the sections of a file that no earlier file has. */
  #newSections(
    name: string,
    { sections, part }: { readonly sections: readonly unknown[]; readonly part: number },
  ): readonly unknown[] {
    const origins = this.#origins.get(name) ?? [];
    this.#origins.set(name, origins);
    return sections.filter((section, index) => {
      const identity = part === 0 ? undefined : this.#identify(name, section);
      const kept = identity?.isBare === true ? this.#kept.get(identity.name) : undefined;
      if (kept !== undefined) {
        this.#noteLeftOut({ list: name, index, part }, kept);
        return false;
      }
      if (identity?.isBare === true) this.#kept.set(identity.name, { list: name, part, index });
      origins.push({ part, index });
      return true;
    });
  }

  /** Finds the sections of the first file, and those of others that say more than who is meant. */
  #findKept(): void {
    for (const [part, { table }] of this.#parts.entries()) {
      for (const [list, value] of Object.entries(table)) {
        if (!isTables(value)) continue;
        for (const [index, section] of value.entries()) {
          const { name, isBare = true } = this.#identify(list, section) ?? {};
          if (name === undefined || (part > 0 && isBare) || this.#kept.has(name)) continue;
          this.#kept.set(name, { list, part, index });
        }
      }
    }
  }

  #withKeys(
    name: string,
    { known, value, part }: {
      readonly known: Readonly<Table> | undefined;
      readonly value: Readonly<Table>;
      readonly part: number;
    },
  ): Table {
    const table = Object.assign(emptyTable(), known);
    for (const [key, entry] of Object.entries(value)) {
      const path = joinPath(name, key);
      if (Object.hasOwn(table, key)) this.#reportRepeated(path, part);
      else {
        table[key] = entry;
        this.#owners.set(path, part);
      }
    }
    return table;
  }

  #noteLeftOut(
    { list, part, index }: Origin & { readonly list: string },
    kept: Origin & { readonly list: string },
  ): void {
    const other = this.#describe(kept.part, `${kept.list}[${kept.index}]`);
    this.notes.push({
      ...this.#placeIn(part, `${list}[${index}]`),
      message: `Left out: it names the same as ${other}`,
    });
  }

  #reportRepeated(path: string, part: number): void {
    this.errors.push({
      ...this.#placeIn(part, path),
      message: `This is also in ${this.#describe(this.#ownerOf(path), path)}`,
      suggestion: "remove one of the two",
    });
  }

  /** Reports a section in brackets of another kind than those of an earlier file. */
  #reportForm(name: string, { known, part }: { readonly known: unknown; readonly part: number }) {
    const [wanted, found] = isTables(known)
      ? [`[[${name}]]`, `[${name}]`]
      : [`[${name}]`, `[[${name}]]`];
    this.errors.push({
      ...this.#placeIn(part, name),
      message: `Wanted ${wanted} as in ${
        this.#describe(this.#ownerOf(name), name)
      }, found ${found}`,
    });
  }

  /** Says where a path of the whole stands: by itself in a single file, else by file and line. */
  describe(path: string): string {
    if (this.#parts.length === 1) return path;
    const { file = this.#parts[0]?.file, line, path: own } = this.placeOf(path);
    return line === undefined ? `${own} of ${file}` : `${file}, line ${line}`;
  }

  #describe(part: number, path: string): string {
    const file = this.#parts[part]?.file ?? "the first file", { line } = this.#placeIn(part, path);
    return line === undefined ? file : `${file}, line ${line}`;
  }

  #placeIn(part: number, path: string): Place {
    const line = lineOf(path, this.#lines[part] ?? new Map());
    const file = part === 0 ? undefined : this.#parts[part]?.file;
    return {
      path,
      ...(line === undefined ? {} : { line }),
      ...(file === undefined ? {} : { file }),
    };
  }

  /** Returns the part that a path is from, or what is around it. */
  #ownerOf(path: string): number {
    for (let rest = path; rest !== ""; rest = rest.slice(0, Math.max(0, rest.search(LAST_STEP)))) {
      const owner = this.#owners.get(rest);
      if (owner !== undefined) return owner;
    }
    return 0;
  }
}

/** The last key or index of a path. */
const LAST_STEP = /[.[][^.[]*$/;

/** A table in which any word is a key like others. */
function emptyTable(): Table {
  return Object.create(null);
}

function isTables(value: unknown): value is readonly Readonly<Table>[] {
  return Array.isArray(value) && value.every(isTable);
}
