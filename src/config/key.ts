/**
 * What a key of a table is: everything that is to be said of it, in one place.
 *
 * The problem: a key has a type, a default, a sentence in the manual, an effect on a reload and a
 * name in other programs, and where these stand in tables of their own, they drift apart. The idea:
 * a key is one value that has all of them. The reader, the built configuration and its types, the
 * reference, the differences of a reload, the hints and the completion of shells are made from it.
 * Limits: a key knows its own value only; rules across keys are beside the section that they
 * concern.
 *
 * @module
 */
import type { ConfigPath } from "./config_path.ts";

/** Reads one value. */
export interface Field<Value> {
  /** What is wanted, in words that fit after "Wanted": `an integer from 0 to 17`. */
  readonly wanted: string;
  /** Returns the value, or notes what is wrong and returns undefined. */
  read(value: unknown, at: ConfigPath): Value | undefined;
  /**
   * Writes a value as the reference shows it; undefined for a value of another kind. Without it the
   * notation is that of TOML.
   */
  write?(value: unknown): string | undefined;
  /** What ntpsd does with what is there, if it is a path. */
  readonly path?: PathUse;
  /** The keys, if it is a table or a list of tables. */
  readonly keys?: Keys;
  /** The key that tells the tables of a list apart. */
  readonly identity?: string;
}

/** What ntpsd does with a file or a directory that a key names. */
export type PathUse =
  & {
    /** Whether only ntpsd, its group and root may read it. */
    readonly isSecret: boolean;
  }
  & (
    | {
      /** It reads the file, at the start and on a reload. */
      readonly kind: "read";
    }
    | {
      /** It reads the file at the start and replaces it as a whole. */
      readonly kind: "state";
      /** What stands behind the path for further such files. */
      readonly suffixes: readonly string[];
    }
    | {
      /** It makes files in the directory. */
      readonly kind: "folder";
    }
  );

/** What a reload does with a key whose value is another than before. */
export type ReloadEffect =
  /** The new value holds when the reload is done. */
  | "applied"
  /** The new value holds from the next start on. */
  | "restart"
  /** The new value holds for servers that are asked anew from then on. */
  | "new-servers"
  /** The file of the keys says otherwise until it is removed. */
  | "new-keys";

/**
 * Words of other programs that mean a key: those that are answered with its name, or words with
 * answers of their own.
 */
export type ForeignWords = string | Readonly<Record<string, string>>;

/** One key of a table; `Value` is what is written, `Built` what the program uses. */
export interface Key<Value, Built = unknown> {
  /** What reads the value. */
  readonly field: Field<Value>;
  /** Whether it must be written. */
  readonly required: boolean;
  /** What it is for. */
  readonly doc: string;
  /** What holds when it is not written, as the reference shows it; empty if it must be written. */
  readonly otherwise: string;
  /** What a reload does with it; undefined where the table it is in says so, or none happens. */
  readonly reload: ReloadEffect | undefined;
  /** What it is called in other programs. */
  readonly foreign: ForeignWords;
  /** Returns what the program uses, given what was written, undefined if nothing was. */
  build(written: Value | undefined): Built;
}

/** A key without which its table means nothing. */
export interface RequiredKey<Value, Built = Value> extends Key<Value, Built | undefined> {
  /** It must be written. */
  readonly required: true;
}

/** A key that may be left out. */
export interface OptionalKey<Value, Built> extends Key<Value, Built> {
  /** It need not be written. */
  readonly required: false;
}

/** The keys of a table by name. */
export type Keys = Readonly<Record<string, Key<unknown>>>;

/** The keys of a section of the configuration: each says what a reload does with it. */
export type SectionKeys = Readonly<
  Record<string, Key<unknown> & { readonly reload: ReloadEffect }>
>;

/** The keys of a table that may all be left out. */
export type OptionalKeys = Readonly<Record<string, OptionalKey<unknown, unknown>>>;

/** What a table reads as: what is missing or wrong is undefined. */
export type Row<Definitions extends Keys> = {
  readonly [Name in keyof Definitions]: Definitions[Name] extends Key<infer Value>
    ? Value | undefined
    : never;
};

/** A section with these keys. */
export type SectionKey<Definitions extends Keys> = OptionalKey<
  Row<Definitions>,
  Row<Definitions> | undefined
>;

/** A list of sections with these keys; one that is no table is undefined. */
export type SectionsKey<Definitions extends Keys> = OptionalKey<
  readonly (Row<Definitions> | undefined)[],
  readonly (Row<Definitions> | undefined)[] | undefined
>;

/** What the program uses of a table: each key under its name in the program, with its default. */
export type Built<Definitions extends Keys> = {
  readonly [Name in keyof Definitions as BuiltName<Name & string>]: Definitions[Name] extends
    RequiredKey<infer _Value, infer Needed> ? Exclude<Needed, undefined>
    : Definitions[Name] extends Key<infer _Value, infer Use> ? Use
    : never;
};

/**
 * The name of a key in the program: `drift-file` is driftFile; a unit at the end is left to the
 * type.
 */
export type BuiltName<Name extends string> = Name extends `${infer Rest}-ppm` ? CamelCase<Rest>
  : Name extends `${infer Rest}-ms` ? CamelCase<Rest>
  : CamelCase<Name>;

type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** What is said of a key beside its type. */
interface About<Reload extends ReloadEffect | undefined> {
  /** What it is for, in whole sentences. */
  readonly doc: string;
  /** What holds without it, where that is not simply the default value. */
  readonly otherwise?: string;
  /** What a reload does with it: to be said of every key of a section. */
  readonly reload?: Reload;
  /** What it is called in other programs. */
  readonly foreign?: ForeignWords;
}

/** Makes a key that must be written; `build` makes of its value what the program uses. */
export function required<
  Value,
  Built = Value,
  Reload extends ReloadEffect | undefined = undefined,
>(
  field: Field<Value>,
  about: About<Reload> & { readonly build?: (value: Value) => Built },
): RequiredKey<Value, Built> & { readonly reload: Reload } {
  const { doc, foreign = "", build } = about;
  return {
    field,
    required: true,
    doc,
    otherwise: "",
    reload: about.reload as Reload,
    foreign,
    build: (written) => builtOf(written, build),
  };
}

/**
 * Makes a key that holds its default when it is not written; `build` makes of either what the
 * program uses.
 */
export function optional<
  Value,
  Built = Value,
  Reload extends ReloadEffect | undefined = undefined,
>(
  field: Field<Value>,
  about: About<Reload> & {
    readonly default: NoInfer<Value>;
    readonly build?: (value: Value) => Built;
  },
): OptionalKey<Value, Built> & { readonly reload: Reload };
/** Makes a key that may be left out and then has no value. */
export function optional<
  Value,
  Built = Value,
  Reload extends ReloadEffect | undefined = undefined,
>(
  field: Field<Value>,
  about: About<Reload> & { readonly build?: (value: Value) => Built | undefined },
): OptionalKey<Value, Built | undefined> & { readonly reload: Reload };
export function optional<Value, Built>(
  field: Field<Value>,
  about: About<ReloadEffect | undefined> & {
    readonly default?: Value;
    readonly build?: (value: Value) => Built | undefined;
  },
): OptionalKey<Value, Built | undefined> {
  const { doc, reload, foreign = "", build } = about;
  return {
    field,
    required: false,
    doc,
    otherwise: about.otherwise ?? writeValue(about.default, field),
    reload,
    foreign,
    build: (written) => builtOf(written ?? about.default, build),
  };
}

function builtOf<Value, Built>(
  value: Value | undefined,
  build: ((value: Value) => Built) | undefined,
): Built | undefined {
  if (value === undefined) return undefined;
  // Without a function of its own the value itself is what the program uses.
  return build === undefined ? value as unknown as Built : build(value);
}

/**
 * Returns what the program uses of a table of which every key may be left out; undefined counts as
 * an empty one.
 */
export function complete<Definitions extends OptionalKeys>(
  keys: Definitions,
  row: Partial<Row<Definitions>> = {},
): Built<Definitions> {
  return buildRow(keys, row) as Built<Definitions>;
}

/**
 * Returns what the program uses of a table; undefined if a key that must be written is missing or
 * wrong.
 */
export function completeIfWhole<Definitions extends Keys>(
  keys: Definitions,
  row: Row<Definitions> | undefined,
): Built<Definitions> | undefined {
  if (row === undefined) return undefined;
  const isWhole = Object.entries(keys).every(([name, { required }]) =>
    !required || row[name] !== undefined
  );
  return isWhole ? buildRow(keys, row) as Built<Definitions> : undefined;
}

/** Returns what the program uses of the keys that are written, and nothing of the others. */
export function completeWritten<Definitions extends OptionalKeys>(
  keys: Definitions,
  row: Partial<Row<Definitions>> = {},
): Partial<Built<Definitions>> {
  const written = Object.entries(keys).filter(([name]) => row[name] !== undefined);
  return buildRow(Object.fromEntries(written), row) as Partial<Built<Definitions>>;
}

function buildRow(
  keys: Keys,
  row: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(keys).map(([name, key]) => [builtName(name), key.build(row[name])]),
  );
}

/** Returns the name of a key in the program. */
export function builtName(name: string): string {
  return name.replace(/-(ppm|ms)$/, "")
    .replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Writes a default as the reference shows it. */
function writeValue(value: unknown, field?: Field<unknown>): string {
  const own = field?.write?.(value);
  if (own !== undefined) return own;
  if (value === undefined) return "none";
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) {
    return value.length === 0 ? "none" : `[${value.map((entry) => writeValue(entry)).join(", ")}]`;
  }
  if (typeof value !== "object") return String(value);
  const parts = Object.entries(value ?? {}).map(([name, part]) => `${name} = ${writeValue(part)}`);
  return `{ ${parts.join(", ")} }`;
}
