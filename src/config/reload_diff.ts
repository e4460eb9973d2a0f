/**
 * Says in words what changes from one configuration to the next, for the log line of a reload.
 *
 * The idea: sources, servers and key exchange servers are told apart by their addresses, everything
 * else by its key, so that the log says `source ntp.example.net: poll-interval-limits.max 10 -> 8`
 * and an administrator sees at once whether the file said what was meant. Beside each change stands
 * what becomes of it. Limits: paths are shown, keys are not (they are in files of their own).
 *
 * @module
 */
import type { Config } from "./config.ts";
import { builtName, type Keys, type ReloadEffect } from "./key.ts";
import { type Section, sectionOf, SECTIONS } from "./schema.ts";

/** What the log says of each effect. */
export const EFFECT_WORDS: Readonly<Record<ReloadEffect, string>> = {
  "applied": "applied",
  "restart": "takes effect at the next start",
  "new-servers": "applied to servers that are polled from now on",
  "new-keys": "takes effect when the keys are made anew",
};

/**
 * Returns one line for each change, without end of line; none if nothing changes. `overridden` are
 * keys, `clock.adjust`, for which the command line says otherwise.
 */
export function describeChanges(
  before: Config,
  after: Config,
  { overridden = [] }: { readonly overridden?: readonly string[] } = {},
): readonly string[] {
  return SECTIONS.flatMap((section) => {
    const pair = { before: sectionOf(before, section.name), after: sectionOf(after, section.name) };
    if (section.identity !== undefined) return listChanges(section, pair);
    return valueChanges(section.keys, pair).map(({ key, text }) => {
      const path = `${section.name}.${key}`;
      const effect = overridden.includes(path)
        ? "the command line says otherwise"
        : EFFECT_WORDS[effectOf(section.keys, key)];
      return `${section.name}.${text} (${effect})`;
    });
  });
}

/** What the program uses of something, before and after. */
interface Pair {
  readonly before: unknown;
  readonly after: unknown;
}

function listChanges(section: Section, { before, after }: Pair): readonly string[] {
  const [old, now] = [entries(section, before), entries(section, after)];
  const removed = [...old.keys()].filter((name) => !now.has(name));
  const lines = removed.map((name) => `${section.name} ${name}: removed (applied)`);
  for (const [name, entry] of now) {
    const known = old.get(name);
    if (known === undefined) lines.push(`${section.name} ${name}: added (applied)`);
    else {
      const changes = valueChanges(section.keys, { before: known, after: entry });
      lines.push(
        ...changes.map(({ key, text }) =>
          `${section.name} ${name}: ${text} (${EFFECT_WORDS[effectOf(section.keys, key)]})`
        ),
      );
    }
  }
  return lines;
}

/** Returns the sections of a list by what tells them apart. */
function entries({ identity = "" }: Section, list: unknown): ReadonlyMap<unknown, unknown> {
  if (!Array.isArray(list)) return new Map();
  return new Map(list.filter(isRecord).map((entry) => [entry[builtName(identity)], entry]));
}

/**
 * Returns what becomes of a changed key, `poll-interval-limits.max`; one of a table has the effect
 * of the table.
 */
function effectOf(keys: Keys, key: string): ReloadEffect {
  const [first = ""] = key.split(".");
  return (Object.hasOwn(keys, first) ? keys[first]?.reload : undefined) ?? "applied";
}

interface Change {
  /** The key within its section. */
  readonly key: string;
  /** What it was and what it is. */
  readonly text: string;
}

/** Compares two tables by their keys; what is a table in both, part by part. */
function valueChanges(keys: Keys, { before, after }: Pair): readonly Change[] {
  const [old, now] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((member) => {
    const key = keyName(keys, member);
    const [was, is] = [old[member], now[member]];
    const inner = Object.hasOwn(keys, key) ? keys[key]?.field.keys ?? {} : {};
    if (isRecord(was) && isRecord(is)) {
      return valueChanges(inner, { before: was, after: is }).map((change) => ({
        key: `${key}.${change.key}`,
        text: `${key}.${change.text}`,
      }));
    }
    const [from, to] = [write(inner, was), write(inner, is)];
    return from === to ? [] : [{ key, text: `${key} ${from} -> ${to}` }];
  });
}

/**
 * Returns the key of a table that a member of the configuration comes from; members that come of
 * rules have a name of their own.
 */
function keyName(keys: Keys, member: string): string {
  return Object.keys(keys).find((name) => builtName(name) === member) ??
    member.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

function write(keys: Keys, value: unknown): string {
  if (value === undefined) return "unset";
  if (Array.isArray(value)) return `[${value.map((entry) => write({}, entry)).join(", ")}]`;
  if (isRecord(value)) {
    const parts = Object.entries(value).map(([member, part]) =>
      `${keyName(keys, member)} = ${write({}, part)}`
    );
    return `{ ${parts.join(", ")} }`;
  }
  return typeof value === "string" ? `"${value}"` : String(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
