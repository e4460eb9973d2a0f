/**
 * Where in a configuration a value stands, and the errors and remarks that are collected while it
 * is read.
 *
 * @module
 */
import type { ConfigError } from "./config_error.ts";
import { joinPath } from "./line_index.ts";

/**
 * Returns what to write in place of a key that is not known, if that can be told from its name
 * alone.
 */
export type UnknownKeyHint = (key: string) => string | undefined;

/**
 * All that is found out about one text: errors, with which it is refused, and remarks, with which
 * it is not.
 */
export class Diagnostics {
  /** What is wrong, in the order in which it was found. */
  readonly errors: ConfigError[] = [];
  /** What is allowed but looks like a mistake, in the order in which it was found. */
  readonly notes: ConfigError[] = [];
  /** Answers keys that no table knows. */
  readonly unknownKeyHint: UnknownKeyHint;
  /** Says where another path stands. */
  readonly describe: (path: string) => string;

  /** Begins without an error. */
  constructor(
    unknownKeyHint: UnknownKeyHint = () => undefined,
    describe: (path: string) => string = (path) => path,
  ) {
    this.unknownKeyHint = unknownKeyHint;
    this.describe = describe;
  }
}

/** The place of one value; what is noted at it goes to the diagnostics of the whole text. */
export class ConfigPath {
  /** The path of the value, `source[0].address`; empty for the whole text. */
  readonly path: string;
  /** Where errors and remarks are collected. */
  readonly diagnostics: Diagnostics;

  /** Names a place in a text; without a path the whole of it. */
  constructor(diagnostics: Diagnostics, path = "") {
    this.diagnostics = diagnostics;
    this.path = path;
  }

  /** Returns the place of a key of this table. */
  key(name: string): ConfigPath {
    return new ConfigPath(this.diagnostics, joinPath(this.path, name));
  }

  /** Returns the place of an element of this list, from 0. */
  index(index: number): ConfigPath {
    return new ConfigPath(this.diagnostics, `${this.path}[${index}]`);
  }

  /** Says where this value stands, for the message of another one. */
  get described(): string {
    return this.diagnostics.describe(this.path);
  }

  /** Notes an error of this value. */
  report(message: string, suggestion?: string): void {
    this.diagnostics.errors.push(this.#located(message, suggestion));
  }

  /** Notes what looks like a mistake, but is allowed. */
  remark(message: string, suggestion?: string): void {
    this.diagnostics.notes.push(this.#located(message, suggestion));
  }

  /** Notes what is allowed, but leaves ntpsd without what was surely meant. */
  warn(message: string, suggestion?: string): void {
    this.diagnostics.notes.push({ ...this.#located(message, suggestion), isWarning: true });
  }

  /** Notes that the value is not of the kind that is wanted. */
  wanted(what: string, value: unknown, suggestion?: string): undefined {
    this.report(`Wanted ${what}, found ${describe(value)}`, suggestion);
    return undefined;
  }

  #located(message: string, suggestion: string | undefined): ConfigError {
    return { path: this.path, message, ...(suggestion === undefined ? {} : { suggestion }) };
  }
}

/**
 * Tells whether a value is a table: those of TOML are plain objects, its dates and times are
 * objects of classes.
 */
export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function describe(value: unknown): string {
  if (typeof value === "string") {
    if (value === "") return "empty text";
    return `the text ${JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value)}`;
  }
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (isTable(value)) return "a table";
  if (typeof value === "object" && value !== null) return "a date or time";
  return String(value);
}
