/**
 * Small readers out of which the configuration's schema is made.
 *
 * The problem: every key needs a type, a range, a message for each way to get it wrong, and a line in the manual; written by hand
 * these drift apart. The idea: a `Field` reads one value and says in words what it wants, a table is a list of keys with a
 * sentence each, and both the errors and the reference are made from them. A field that is not right reports it and reads as
 * undefined, so that one pass finds all errors. Limits: a field sees its own value only; rules across keys are in `build.ts`.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import { ConfigPath, Diagnostics, isTable } from "./config_path.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { nearest, sameSpelling } from "./nearest.ts";

/** Reads one value. */
export interface Field<Value> {
  /** What is wanted, in words that fit after "Wanted": `an integer from 0 to 17`. */
  readonly wanted: string;
  /** Returns the value, or notes what is wrong and returns undefined. */
  read(value: unknown, at: ConfigPath): Value | undefined;
  /** The keys, if it is a table or a list of tables. */
  readonly keys?: Keys;
}

/** One key of a table, with its sentences for the reference. */
export interface Key<Value> {
  /** What reads the value. */
  readonly field: Field<Value>;
  /** Whether it must be written. */
  readonly required: boolean;
  /** What it is for. */
  readonly doc: string;
  /** What holds when it is not written; empty if it must be. */
  readonly otherwise: string;
}

/** The keys of a table by name. */
export type Keys = Readonly<Record<string, Key<unknown>>>;

/** What a table reads as: what is missing or wrong is undefined. */
export type Row<Definitions extends Keys> = {
  readonly [Name in keyof Definitions]: Definitions[Name] extends Key<infer Value>
    ? Value | undefined
    : never;
};

/** Makes a key that must be written. */
export function required<Value>(field: Field<Value>, doc: string): Key<Value> {
  return { field, required: true, doc, otherwise: "" };
}

/** Makes a key that may be left out; `otherwise` says in words what then holds. */
export function optional<Value>(field: Field<Value>, otherwise: string, doc: string): Key<Value> {
  return { field, required: false, doc, otherwise };
}

/** Reads `true` or `false`. */
export const boolean: Field<boolean> = {
  wanted: "true or false",
  read(value, at) {
    if (typeof value === "boolean") return value;
    const word = typeof value === "string" ? value.toLowerCase() : "";
    const quotes = typeof value === "string" ? " without quotes" : "";
    const hint = value === 1 || ["true", "yes", "on", "1"].includes(word)
      ? `write true${quotes}`
      : value === 0 || ["false", "no", "off", "0"].includes(word)
      ? `write false${quotes}`
      : undefined;
    return at.wanted(this.wanted, value, hint);
  },
};

/** Reads text that is not empty. */
export const text: Field<string> = textThat("text", (value) => value === "" ? undefined : value);

/** Reads the path of a file. */
export const path: Field<string> = textThat("the path of a file", pathText, pathHint);

/** Reads the path of a directory. */
export const directory: Field<string> = textThat(
  "the path of a directory",
  pathText,
  pathHint,
);

/** Reads a duration: seconds as a number, or text with units. */
export function duration(least: Seconds = 0): Field<Seconds> {
  const bound = least === 0 ? "" : ` of at least ${least} second${least === 1 ? "" : "s"}`;
  return durationThat(`a duration${bound}`, (seconds) => seconds >= least);
}

/** Reads a duration of whole seconds between two limits, both allowed. */
export function wholeSeconds(least: Seconds, most: Seconds): Field<Seconds> {
  return durationThat(
    `a duration of whole seconds from ${formatDuration(least)} to ${formatDuration(most)}`,
    (seconds) => Number.isInteger(seconds) && seconds >= least && seconds <= most,
  );
}

function durationThat(what: string, fits: (seconds: Seconds) => boolean): Field<Seconds> {
  return {
    wanted: `${what}: seconds as a number, or text such as "250ms", "90s" or "4w"`,
    read(value, at) {
      const seconds = typeof value === "string" ? parseDuration(value) : value;
      if (typeof seconds === "number" && Number.isFinite(seconds) && fits(seconds)) return seconds;
      return at.wanted(this.wanted, value);
    },
  };
}

/** Reads an integer between two limits, both allowed. */
export function integer(least: number, most: number): Field<number> {
  return {
    wanted: `an integer from ${least} to ${most}`,
    read(value, at) {
      if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) {
        return value;
      }
      return at.wanted(this.wanted, value, unquote(value));
    },
  };
}

/** Reads an exponent of two seconds between two limits, both allowed. */
export function pollExponent(least: number, most: number): Field<number> {
  const { wanted, read } = integer(least, most);
  return {
    wanted,
    read(value, at) {
      const exponent = typeof value === "number" ? Math.log2(value) : NaN;
      if (!Number.isInteger(exponent) || exponent > most || Number(value) <= most) {
        return read.call(this, value, at);
      }
      return at.wanted(
        wanted,
        value,
        `it is an exponent of two: ${exponent} means ${value} seconds`,
      );
    },
  };
}

/** Reads a number between two limits, both allowed. */
export function number(least: number, most: number): Field<number> {
  return {
    wanted: `a number from ${least} to ${most}`,
    read(value, at) {
      if (typeof value === "number" && value >= least && value <= most) return value;
      return at.wanted(this.wanted, value, unquote(value));
    },
  };
}

/** Reads one of a few words. */
export function word<const Word extends string>(words: readonly Word[]): Field<Word> {
  const list = words.map((entry) => `"${entry}"`);
  const wanted = list.length === 1
    ? list.join("")
    : `${list.slice(0, -1).join(", ")} or ${list.at(-1)}`;
  return {
    wanted,
    read(value, at) {
      const found = words.find((entry) => entry === value);
      if (found !== undefined) return found;
      const near = typeof value === "string" ? nearest(value, words) : undefined;
      return at.wanted(wanted, value, near === undefined ? undefined : `did you mean "${near}"?`);
    },
  };
}

/** Reads text that a function understands; the function returns undefined for what it does not. */
export function textThat<Value>(
  wanted: string,
  understand: (value: string) => Value | undefined,
  hint: (value: string) => string | undefined = () => undefined,
): Field<Value> {
  return {
    wanted,
    read(value, at) {
      const understood = typeof value === "string" ? understand(value) : undefined;
      if (understood !== undefined) return understood;
      return at.wanted(wanted, value, typeof value === "string" ? hint(value) : undefined);
    },
  };
}

/** Reads whatever the first of some fields understands; the message names all of them. */
export function either<A, B>(first: Field<A>, second: Field<B>): Field<A | B> {
  const wanted = `${first.wanted}, or ${second.wanted}`;
  return {
    wanted,
    ...(second.keys === undefined ? {} : { keys: second.keys }),
    read(value, at) {
      // The faults inside a table say more than that it is not right as a whole.
      if (second.keys !== undefined && isTable(value)) return second.read(value, at);
      for (const field of [first, second]) {
        const trial = new Diagnostics();
        const read = field.read(value, new ConfigPath(trial, at.path));
        if (trial.errors.length === 0) return read;
      }
      return at.wanted(wanted, value);
    },
  };
}

/** Reads a list; elements that are not right are reported and left out. */
export function list<Value>(element: Field<Value>, wanted: string): Field<readonly Value[]> {
  return {
    wanted,
    read(value, at) {
      if (!Array.isArray(value)) return at.wanted(wanted, value, "put it in brackets: [ ... ]");
      const values: Value[] = [];
      for (const [i, entry] of value.entries()) {
        const read = element.read(entry, at.index(i));
        if (read !== undefined) values.push(read);
      }
      return values;
    },
  };
}

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
        if (Object.hasOwn(keys, name)) continue;
        const hints = respelt(name, keys) ?? at.diagnostics.unknownKeyHint(name) ??
          meant(name, keys);
        at.key(name).report("Unknown key", hints);
        // A misspelt heading must not hide what is wrong below it.
        const near = nearest(name, Object.keys(keys));
        const field = near === undefined ? undefined : keys[near]?.field;
        if (field?.keys !== undefined && isTableOrTables(entry)) field.read(entry, at.key(name));
      }
      return row as Row<Definitions>;
    },
  };
}

/** Reads `[[name]]` sections; a section that is no table at all stays in the list as undefined, so that indices hold. */
export function sections<Definitions extends Keys>(
  section: Field<Row<Definitions>>,
): Field<readonly (Row<Definitions> | undefined)[]> {
  const wanted = "sections in double brackets";
  return {
    wanted,
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

/** A path may be anything but empty; a zero octet would end it early, and only a shell knows what `~` stands for. */
function pathText(value: string): string | undefined {
  return value !== "" && !value.includes("\0") && !/^~|^\$/.test(value) ? value : undefined;
}

function pathHint(value: string): string | undefined {
  return /^~|^\$/.test(value) ? "write the whole path: ~ and $ are for shells" : undefined;
}

/** Says how a table is written: a section by its heading, another one by the keys that it must have, or else by the first two. */
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

function unquote(value: unknown): string | undefined {
  const isNumeral = typeof value === "string" && /^-?[0-9]+(\.[0-9]+)?$/.test(value);
  return isNumeral ? `write ${value} without quotes` : undefined;
}

function isTableOrTables(value: unknown): boolean {
  return isTable(value) || (Array.isArray(value) && value.every(isTable));
}
