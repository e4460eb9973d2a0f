/**
 * Configurations and scenarios, written from the schemas themselves: every key that there is, and
 * every key that there will be.
 *
 * The idea: each field says in words what it wants, for people who get it wrong; from the same
 * words follows what it may be given here, mostly what it wants and now and then something else.
 * Limits: rules across keys are not known here.
 *
 * @module
 */
import type { RandomSource } from "../../src/base/random.ts";
import type { Field, Key } from "../../src/config/key.ts";
import { below, between, chance, pick, several } from "./mutate.ts";

/** What is right comes first, what is odd comes seldom. */
interface Words {
  readonly right: readonly string[];
  readonly odd: readonly string[];
}

const HOSTS: Words = {
  right: ["192.0.2.1", "192.0.2.2", "198.51.100.7", "2001:db8::1", "ntp.example.net", "b.example"],
  odd: ["127.127.1.0", "0.0.0.0", "fe80::1%eth0", "a..b", "-", "224.0.0.1", "b.example."],
};
const NUMERIC: Words = {
  right: ["192.0.2.1", "127.0.0.1", "[::]", "0.0.0.0", "[2001:db8::1]"],
  odd: ["ntp.example.net", "[fe80::1%eth0]", "1.2.3", "::1"],
};
const PORTS: Words = { right: [":123", ":4460", ":11123", ":9"], odd: ["", ":0", ":65536", ":x"] };
const PREFIXES: Words = {
  right: ["0.0.0.0/0", "::/0", "192.0.2.0/24", "2001:db8::/32", "192.0.2.1"],
  odd: ["1.2.3.4/33", "a/8", "1.2.3.4/8"],
};
const DURATIONS: Words = {
  right: ["250ms", "90s", "4w", "10min", "1h", "2d"],
  odd: ["inf", "-3s", "1e400s", "0", "5"],
};
const SECONDS: Words = {
  right: ["1", "17", "3600", "0.5"],
  odd: ["0", "-1", "nan", "inf", "1e300"],
};
const DATES: Words = { right: ["2026-06-30T23:00:00Z"], odd: ["2036-02-07T06:28:15Z", "1800-1-1"] };
const TEXTS: Words = {
  right: ["/var/lib/ntpsd/x", "/a", "/etc/b"],
  odd: ["", "none", "~/x", "\\u0000", "x".repeat(300), "ä\u202e"],
};
const NUMBERS = ["0", "1", "-1", "4", "17", "1e9", "nan", "inf", "-0.0", "0x10", "1_000", "1e-12"];
const ODD = [
  "true",
  "[]",
  "{}",
  "[[1]]",
  "1979-05-27",
  '"""x"""',
  "'",
  '"',
  "“x”",
  "\u00a0",
  "1 2",
];

type AnyField = Pick<Field<unknown>, "wanted" | "keys">;

/** Writes a text that a schema could have been made for. */
export function tomlOf(schema: AnyField, random: RandomSource, names: Names = {}): string {
  const flat: string[] = [], tables: string[] = [];
  for (const [name, key] of Object.entries(schema.keys ?? {})) {
    const count = names[name] ?? (key.required || chance(random, 0.35) ? 1 : 0);
    if (count === 0) continue;
    const { wanted, keys = {} } = key.field;
    if (wanted === "sections in double brackets") {
      const sections = several(1 + below(random, 3 * count), () => section(keys, random));
      tables.push(...sections.map((lines) => `[[${name}]]\n${lines}`));
    } else if (wanted === "a table" && chance(random, 0.8)) {
      tables.push(`[${name}]\n${section(keys, random)}`);
    } else flat.push(`${name} = ${valueOf(name, key.field, random)}`);
  }
  return `${[...flat, ...tables].join("\n")}\n`;
}

/** How many sections there are at the least, by name; the others are drawn. */
export type Names = Readonly<Record<string, number>>;

function section(keys: Readonly<Record<string, Key<unknown>>>, random: RandomSource): string {
  return Object.entries(keys)
    .filter(([, { required }]) => chance(random, required ? 0.995 : 0.12))
    .map(([name, { field }]) => `${nameFor(name, random)} = ${valueOf(name, field, random)}\n`)
    .join("");
}

/** Returns the name, or now and then one that is misspelt. */
function nameFor(name: string, random: RandomSource): string {
  return chance(random, 0.003) ? name.slice(1) : name;
}

/** Writes the value of a key; what is called a name in a section is mostly one of its own. */
function valueOf(name: string, field: AnyField, random: RandomSource): string {
  return name === "name" ? quoted(`n${below(random, 1000)}`) : valueFor(field, random);
}

/** Writes a value that a field wants, or now and then another. */
function valueFor(field: AnyField, random: RandomSource): string {
  const { wanted, keys } = field;
  if (chance(random, 0.003)) return pick(random, ODD);
  if (keys !== undefined && (wanted.startsWith("a table") || chance(random, 0.5))) {
    const lines = section(keys, random).trim();
    return `{ ${lines.replaceAll("\n", ", ")} }`;
  }
  if (wanted.startsWith("a list of")) {
    return `[${several(below(random, 4), () => scalarFor(wanted.slice(10), random)).join(", ")}]`;
  }
  return scalarFor(wanted, random);
}

/** The first of these that a field's words match says what it is given. */
const KINDS: readonly (readonly [RegExp, (random: RandomSource) => string])[] = [
  [/^prefix/, (random) => one(random, PREFIXES)],
  [/numeric address with a port/, (random) => one(random, NUMERIC) + one(random, PORTS)],
  [/host name|address|^IP/i, (random) => one(random, HOSTS)],
  [/^names/, (random) => one(random, HOSTS)],
  [/^a date/, (random) => one(random, DATES)],
  [/kiss code/, (random) => one(random, { right: ["RATE", "DENY"], odd: ["R", "none"] })],
];

function scalarFor(wanted: string, random: RandomSource): string {
  const [, kind, least, most] = /(integer|number) from (-?[\d.]+) to ([\d.]+)/.exec(wanted) ?? [];
  if (kind !== undefined) return numberFor(random, { kind, limits: [Number(least), Number(most)] });
  const isSimple = wanted === "true or false" || chance(random, 0.7);
  if (isSimple && /true or false/.test(wanted)) return pick(random, ["true", "false"]);
  const known = KINDS.find(([words]) => words.test(wanted));
  if (known !== undefined) return quoted(known[1](random));
  if (/duration|seconds as/.test(wanted)) {
    return chance(random, 0.5) ? quoted(one(random, DURATIONS)) : one(random, SECONDS);
  }
  if (/algorithms|versions/.test(wanted)) return pick(random, ["15", "30", "17", "3", "4", "9"]);
  const words = [...wanted.matchAll(/"([^"]*)"/g)].map(([, word = ""]) => word);
  if (words.length > 0 && chance(random, 0.99)) return quoted(pick(random, words));
  return quoted(one(random, TEXTS));
}

function one(random: RandomSource, { right, odd }: Words): string {
  return pick(random, chance(random, 0.97) ? right : odd);
}

function numberFor(
  random: RandomSource,
  { kind, limits }: { readonly kind: string; readonly limits: readonly [number, number] },
): string {
  const [least, most] = limits;
  if (chance(random, 0.01)) return pick(random, NUMBERS);
  if (chance(random, 0.02)) return String(pick(random, [least - 1, most + 1]));
  if (chance(random, 0.2)) return String(pick(random, [least, most]));
  const value = Math.min(most, Math.max(least, between(random, 1, Math.max(2, most))));
  return kind === "integer" ? String(Math.round(value)) : String(value);
}

function quoted(text: string): string {
  return `"${text}"`;
}
