/**
 * What a configuration of another program says, in the words of ntpsd: the common model of all
 * dialects.
 *
 * The idea: a dialect fills in a draft, line by line, and says of each line that has no equivalent
 * why. `write.ts` prints it. Limits: a draft judges no values; `convert.ts` has what it does not
 * understand replaced by a comment.
 *
 * @module
 */

/** A value of a configuration. */
export type Value = string | number | boolean | readonly Value[] | {
  readonly [key: string]: Value;
};

/** Where a line stands. */
export interface Place {
  /** The file. */
  readonly file: string;
  /** The line, from 1. */
  readonly line: number;
  /** What it says. */
  readonly text: string;
}

/** A line, or a part of it, without equivalent, and why. */
export interface Remark {
  /** Where it stands; undefined for what concerns the whole. */
  readonly place?: Place;
  /** A sentence. */
  readonly reason: string;
}

/** One table of the configuration: a source, a server, or a section. */
export interface DraftTable {
  /** What is written. */
  readonly values: Map<string, Value>;
  /** The remarks that stand with it. */
  readonly remarks: Remark[];
}

/** The lists of tables of a configuration. */
export type ListName = "source" | "server" | "nts-ke-server";

/** A configuration that is being drafted. */
export class Draft {
  /** The lists of tables by their names. */
  readonly lists: Readonly<Record<ListName, DraftTable[]>> = {
    source: [],
    server: [],
    "nts-ke-server": [],
  };
  /** The other sections by their names. */
  readonly sections = new Map<string, DraftTable>();
  /** What concerns no table. */
  readonly remarks: Remark[] = [];

  /** Adds a table to a list. */
  add(list: ListName, values: Readonly<Record<string, Value | undefined>>): DraftTable {
    const given = Object.entries(values).filter((entry): entry is [string, Value] =>
      entry[1] !== undefined
    );
    const table: DraftTable = { values: new Map(given), remarks: [] };
    this.lists[list].push(table);
    return table;
  }

  /** Sets a key, `clock.drift-file`, if there is a value; tells whether there is one. */
  set(path: string, value: Value | undefined): boolean {
    const [section = "", key = ""] = path.split(".");
    if (value !== undefined) this.section(section).values.set(key, value);
    return value !== undefined;
  }

  /** Returns a section, an empty one if it was not there. */
  section(name: string): DraftTable {
    const table = this.sections.get(name) ?? { values: new Map(), remarks: [] };
    this.sections.set(name, table);
    return table;
  }

  /** Notes that a line has no equivalent, and why. */
  without(place: Place, reason: string): void {
    this.remarks.push({ place, reason });
  }
}
