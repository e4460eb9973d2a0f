/**
 * Says in words what changes from one configuration to the next, for the log line of a reload.
 *
 * The idea: sources, servers and key exchange servers are told apart by their addresses, everything else by its key, so that the log
 * says `source ntp.example.net: poll-interval-limits.max 10 -> 8` and an administrator sees at once whether the file said what was meant.
 * Beside each change stands what becomes of it. Limits: paths are shown, keys are not (they are in files of their own).
 *
 * @module
 */
import type { Config } from "./config.ts";
import { effectOf } from "./reload_effect.ts";

/**
 * Returns one line for each change, without end of line; none if nothing changes. `overridden` are keys, `clock.adjust`, for which the
 * command line says otherwise.
 */
export function describeChanges(
  before: Config,
  after: Config,
  overridden: readonly string[] = [],
): readonly string[] {
  return [
    ...listChanges("source", entries(before.sources, "address"), entries(after.sources, "address")),
    ...listChanges("server", entries(before.servers, "listen"), entries(after.servers, "listen")),
    ...listChanges(
      "nts-ke-server",
      entries(before.ntsKeServers, "listen"),
      entries(after.ntsKeServers, "listen"),
    ),
    ...SECTIONS.flatMap((name) => sectionChanges(name, { before, after, overridden })),
  ];
}

const SECTIONS = [
  "keyset",
  "keysFile",
  "synchronization",
  "clock",
  "nts",
  "observability",
  "security",
] as const satisfies readonly (keyof Config)[];

/** The keys of the file whose names are not simply those of the configuration in another spelling. */
const SPELLINGS: Readonly<Record<string, string>> = {
  keysFile: "keys.file",
  keyExchangeTimeout: "key-exchange-timeout-ms",
  maxFrequency: "max-frequency-ppm",
  maxSlew: "max-slew-ppm",
};

function entries<Key extends string, Entry extends Readonly<Record<Key, string>>>(
  list: readonly Entry[],
  key: Key,
): ReadonlyMap<string, Entry> {
  return new Map(list.map((entry) => [entry[key], entry]));
}

function sectionChanges(
  name: typeof SECTIONS[number],
  { before, after, overridden }: {
    readonly before: Config;
    readonly after: Config;
    readonly overridden: readonly string[];
  },
): readonly string[] {
  const [section = "", ...rest] = kebab(name).split(".");
  return valueChanges(rest.join("."), before[name], after[name]).map((change) =>
    overridden.includes(`${section}.${change.key}`)
      ? `${section}.${change.text} (the command line says otherwise)`
      : `${section}.${describeChange(section, change)}`
  );
}

function describeChange(section: string, { key, text }: Change): string {
  return `${text} (${effectOf(section, key)})`;
}

function listChanges(
  noun: string,
  before: ReadonlyMap<string, object>,
  after: ReadonlyMap<string, object>,
): readonly string[] {
  const removed = [...before.keys()].filter((name) => !after.has(name));
  const lines = removed.map((name) => `${noun} ${name}: removed (applied)`);
  for (const [name, entry] of after) {
    const old = before.get(name);
    if (old === undefined) lines.push(`${noun} ${name}: added (applied)`);
    else {
      lines.push(
        ...valueChanges("", old, entry).map((change) =>
          `${noun} ${name}: ${describeChange(noun, change)}`
        ),
      );
    }
  }
  return lines;
}

interface Change {
  /** The key within its section. */
  readonly key: string;
  /** What it was and what it is. */
  readonly text: string;
}

/** Compares two values by their parts. */
function valueChanges(path: string, before: unknown, after: unknown): readonly Change[] {
  if (isRecord(before) && isRecord(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => {
      const inner = path === "" ? kebab(name) : `${path}.${kebab(name)}`;
      return valueChanges(inner, before[name], after[name]);
    });
  }
  const old = write(before), now = write(after);
  return old === now ? [] : [{ key: path, text: `${path} ${old} -> ${now}` }];
}

function write(value: unknown): string {
  if (value === undefined) return "unset";
  if (Array.isArray(value)) return `[${value.map(write).join(", ")}]`;
  if (isRecord(value)) {
    const parts = Object.entries(value).map(([name, part]) => `${kebab(name)} = ${write(part)}`);
    return `{ ${parts.join(", ")} }`;
  }
  return typeof value === "string" ? `"${value}"` : String(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kebab(name: string): string {
  if (Object.hasOwn(SPELLINGS, name)) return SPELLINGS[name] ?? name;
  return name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}
