/**
 * Readers of single values and of lists, out of which the schema of the configuration is made.
 *
 * The idea: a reader says in words what it wants, and from these words come its message and its
 * line in the reference. A value that is not right is reported and reads as undefined, so that one
 * pass finds all errors.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import { ConfigPath, Diagnostics, isTable } from "./config_path.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import type { Field } from "./key.ts";
import { nearest } from "./nearest.ts";

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

/** Reads a duration: seconds as a number, or text with units. */
export function duration(least: Seconds = 0): Field<Seconds> {
  const bound = least === 0 ? "" : ` of at least ${least} second${least === 1 ? "" : "s"}`;
  return durationThat(`a duration${bound}`, (seconds) => seconds >= least);
}

/** Reads a duration that is not zero. */
export const durationAboveZero: Field<Seconds> = durationThat(
  "a duration above zero",
  (seconds) => seconds > 0,
);

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
    write(value) {
      if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
      const text = formatDuration(value);
      // A number without a unit is seconds.
      return /[0-9]s$/.test(text) ? String(value) : JSON.stringify(text);
    },
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

/**
 * Reads text that a function understands; the function returns undefined for what it does not.
 * `hint` says what to write instead, if that can be told.
 */
export function textThat<Value>(
  wanted: string,
  understand: (value: string) => Value | undefined,
  { hint = () => undefined }: { readonly hint?: (value: string) => string | undefined } = {},
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
    write: (value) => first.write?.(value) ?? second.write?.(value),
    read(value, at) {
      // The errors inside a table say more than that it is not right as a whole.
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

function unquote(value: unknown): string | undefined {
  const isNumeral = typeof value === "string" && /^-?[0-9]+(\.[0-9]+)?$/.test(value);
  return isNumeral ? `write ${value} without quotes` : undefined;
}
