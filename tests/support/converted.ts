/**
 * What the conversion of a foreign configuration comes to, as facts.
 *
 * @module
 */
import assert from "node:assert/strict";
import { err, ok } from "../../src/base/result.ts";
import type { Config } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { convert } from "../../src/convert/convert.ts";
import type { Dialect } from "../../src/convert/detect.ts";
import type { Reader } from "../../src/convert/read_lines.ts";
import { ACCESS_ALLOW, AccessRules } from "../../src/server/access.ts";
import { clientOf } from "../../src/server/client.ts";

/** A conversion. */
export interface ConversionFacts {
  /** The format that was found. */
  readonly dialect: Dialect;
  /** What ntpsd reads in the result, which it accepts. */
  readonly config: Config;
  /** The sources, as `mode address`. */
  readonly sources: readonly string[];
  /** The lines of the result that are comments, as one text. */
  readonly comments: string;
  /** The result. */
  readonly text: string;
}

/** Converts a text, with files that it may include; the result must be one that ntpsd accepts. */
export function converted(
  file: string,
  text: string,
  files: Readonly<Record<string, string>> = {},
): ConversionFacts {
  const result = convert({ file, text, reader: readerOf(files) });
  assert.ok(result.ok, result.ok ? "" : result.error);
  const parsed = parseConfig(result.value.text);
  assert.ok(parsed.ok, JSON.stringify(parsed) + result.value.text);
  const { config } = parsed.value;
  return {
    dialect: result.value.dialect,
    config,
    sources: config.sources.map(({ mode, address }) => `${mode} ${address}`),
    comments: result.value.text.split("\n").filter((line) => line.startsWith("#")).join("\n"),
    text: result.value.text,
  };
}

/** Reads files by their paths, and lists what is in their folders. */
export function readerOf(files: Readonly<Record<string, string>>): Reader {
  return {
    read(path) {
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      return text === undefined ? err(`Cannot read ${path}: no such file`) : ok(text);
    },
    list(folder) {
      const start = `${folder.replace(/\/*$/, "")}/`;
      const names = Object.keys(files).filter((path) => path.startsWith(start)).map((path) =>
        path.slice(start.length)
      ).filter((name) => !name.includes("/"));
      return names.length > 0 ? ok(names) : err(`${folder} is empty, or cannot be read`);
    },
  };
}

/** A client outside of 10.0.0.0/8, three in ever smaller networks inside of it, and two of IPv6. */
const CLIENTS = ["192.0.2.1", "10.0.0.1", "10.1.0.1", "10.1.1.1", "2001:db8::1", "fe80::1"];

/**
 * Checks whom configurations serve: of each its access lines, with "; " in between, and a "y" or
 * "-" for each of `CLIENTS`.
 */
export function assertServed(
  convertText: (text: string) => ConversionFacts,
  cases: readonly (readonly [lines: string, expected: string])[],
): void {
  for (const [lines, expected] of cases) {
    const { config } = convertText(`server a.example\n${lines.replaceAll("; ", "\n")}\n`);
    assert.equal(servedBy(config), expected, lines);
  }
}

function servedBy({ servers: [server] }: Config): string {
  if (server === undefined) return "-".repeat(CLIENTS.length);
  const rules = AccessRules.build(server);
  assert.ok(rules.ok);
  return CLIENTS.map((address) => {
    const client = clientOf(address);
    assert.ok(client, address);
    return rules.value.decide(client) === ACCESS_ALLOW ? "y" : "-";
  }).join("");
}
