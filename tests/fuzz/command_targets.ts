/**
 * The commands under fuzz: any words, files that are anything, and a daemon that answers anything.
 *
 * An input is the words, apart by zero octets, then after two zero octets what files and the daemon
 * hold. Limits: `run`, `query` and `trace`, which would open sockets, are not run; their words are
 * read.
 *
 * @module
 */
import { IDLE_CONTEXT } from "../support/idle_context.ts";
import assert from "node:assert/strict";
import { type Bytes, toHex } from "../../src/base/bytes.ts";
import type { RandomSource } from "../../src/base/random.ts";
import { err, ok } from "../../src/base/result.ts";
import { readArguments } from "../../src/cli/args.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { EXIT } from "../../src/cli/exit_code.ts";
import { main } from "../../src/cli/main.ts";
import { exampleStatus } from "../support/status_example.ts";
import { SCHEMA } from "../../src/config/schema.ts";
import { SCENARIO_SCHEMA } from "../../src/simulation/scenario/schema.ts";
import { commandLine } from "./grammar_texts.ts";
import { tomlOf } from "./grammar_toml.ts";
import { below, chance, pick } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

const encode = (text: string): Bytes => new TextEncoder().encode(text);
const CODES: ReadonlySet<number> = new Set(Object.values(EXIT));
const STATUS = JSON.stringify(exampleStatus());
const VALUES = [
  "null",
  "-1",
  "1e400",
  '"\\u202e\\u0007"',
  "[]",
  "{}",
  "true",
  "1e300",
  "0",
] as const;

/** The targets. */
export const COMMAND_TARGETS: readonly FuzzTarget[] = [
  {
    name: "command-line",
    oracle: "the exit status is one of those documented, and none says that it is a bug",
    budget: 150,
    seeds: [toHex(encode(`status\0\0${STATUS}`)), toHex(encode("check\0/x.toml\0\0a = 1\n"))],
    generate: (random) => encode(`${commandLine(random)}\0\0${content(random)}`),
    run: fuzzCommandLine,
  },
];

function content(random: RandomSource): string {
  switch (below(random, 4)) {
    case 0:
      return tomlOf(SCHEMA, random);
    case 1:
      return `duration = 20\n${tomlOf(SCENARIO_SCHEMA, random, { duration: 0, server: 1 })}`;
    default:
      return changedStatus(random);
  }
}

/** Changes one value of a good document, or none. */
function changedStatus(random: RandomSource): string {
  if (chance(random, 0.2)) return STATUS;
  const values = [...STATUS.matchAll(/:("[^"]*"|[-\d.e]+|null|true|false)/g)];
  const { index, 0: found } = pick(random, values);
  return `${STATUS.slice(0, index)}:${pick(random, VALUES)}${STATUS.slice(index + found.length)}`;
}

async function fuzzCommandLine(octets: Bytes): Promise<void> {
  const text = new TextDecoder().decode(octets);
  const [line = "", ...more] = text.split("\0\0");
  const words = line.split("\0"), content = more.join("\0\0");
  for (const command of COMMANDS) readArguments(command, words);
  const [first] = words;
  if (first === undefined || first.startsWith("-") && !/^(--help|-h|--version|-V)$/.test(first)) {
    return;
  }
  if (/^(run|query|trace)$/.test(first) || first === "simulate" && !isShort(content)) return;
  let written = "";
  const code = await main(words, {
    ...IDLE_CONTEXT,
    out: (part) => written += part,
    err: (part) => written += part,
    readFile: (path) => path === "" ? err({ name: "ENOENT", message: "none" }) : ok(content),
    httpGet: () => Promise.resolve(ok({ status: 200, body: content })),
  });
  assert.ok(CODES.has(code) && code !== EXIT.bug, `exit status ${code}: ${written.slice(0, 200)}`);
}

/** What is simulated here is over soon. */
function isShort(scenario: string): boolean {
  return /^duration = 20$/m.test(scenario) &&
    !/\n\[\[server\]\][^]*\n\[\[server\]\][^]*\n\[\[server/.test(scenario);
}
