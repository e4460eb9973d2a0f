/**
 * Readers of values that only scenarios have.
 *
 * @module
 */
import { ipFamily } from "../../base/ip_address.ts";
import type { UnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { Seconds } from "../../base/units.ts";
import { formatUtc } from "../../base/utc.ts";
import { parseDuration } from "../../config/duration.ts";
import { duration, either, list, number, text, textThat, word } from "../../config/field.ts";
import type { Field } from "../../config/key.ts";
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import { parseDate } from "../date.ts";

/** Reads a time with a sign. */
export const signedDuration: Field<Seconds> = {
  ...duration(),
  wanted: 'seconds as a number, or text such as "100ms" or "-0.5s"',
  read(value, at) {
    const seconds = typeof value === "string" ? signedSeconds(value) : value;
    if (typeof seconds === "number" && Number.isFinite(seconds)) return seconds;
    return at.wanted(this.wanted, value);
  },
};

/** Reads a TOML date with time in UTC, or text that is one. */
export const date: Field<UnixNanoseconds> = {
  wanted: "a date with time in UTC such as 2036-02-07T06:20:00Z",
  write: (value) =>
    typeof value === "bigint"
      ? formatUtc(value as UnixNanoseconds).replace(".000000", "")
      : undefined,
  read(value, at) {
    const isDate = typeof value === "object" && value !== null && "toISOString" in value &&
      typeof value.toISOString === "function";
    const written: unknown = isDate ? (value.toISOString as () => string).call(value) : value;
    const parsed = typeof written === "string" ? parseDate(written) : undefined;
    return parsed ?? at.wanted(this.wanted, value);
  },
};

/** Reads a numeric address. */
export const address: Field<string> = textThat(
  "a numeric address",
  (value) => ipFamily(value) === undefined ? undefined : value,
);

/** Reads a frequency error in parts per million. */
export const ppm: Field<number> = number(-100_000, 100_000);

/** Reads one name or several. */
export const names: Field<string | readonly string[]> = either(list(text, "a list of names"), text);

/** Reads a leap indicator. */
export const leapIndicator: Field<LeapIndicator> = word(
  ["none", "insert", "delete", "unknown"],
);

/** Reads one value or a list of them, as a list. */
export function oneOrMore<Value>(element: Field<Value>): Field<readonly Value[]> {
  const several = list(element, `a list of: ${element.wanted}`);
  return {
    wanted: `${element.wanted}, or a list of them`,
    read(value, at) {
      if (Array.isArray(value)) return several.read(value, at);
      const single = element.read(value, at);
      return single === undefined ? undefined : [single];
    },
  };
}

/** Reads a table whose keys are free. */
export function mapOf<Value>(element: Field<Value>): Field<Readonly<Record<string, Value>>> {
  return {
    wanted: "a table",
    read(value, at) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return at.wanted(this.wanted, value);
      }
      const map: Record<string, Value> = {};
      for (const [name, entry] of Object.entries(value)) {
        const read = element.read(entry, at.key(name));
        if (read !== undefined) map[name] = read;
      }
      return map;
    },
  };
}

/** Takes a table as it is; another part reads it. */
export function anyTable(): Field<Readonly<Record<string, unknown>>> {
  return mapOf<unknown>({ wanted: "anything", read: (value) => value });
}

function signedSeconds(value: string): Seconds | undefined {
  const match = /^\s*([+-]?)(.*)$/s.exec(value);
  const seconds = parseDuration(match?.[2] ?? "");
  return seconds === undefined ? undefined : match?.[1] === "-" ? -seconds : seconds;
}
