/**
 * Texts under fuzz: configurations, scenarios, key files, leap files, addresses, requests over
 * HTTP.
 *
 * What is accepted is used: a configuration starts an engine, a scenario runs, a leap table is
 * asked.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, toHex } from "../../src/base/bytes.ts";
import { canonicalIp, ipFromBytes, ipToBytes } from "../../src/base/ip_address.ts";
import type { RandomSource } from "../../src/base/random.ts";
import {
  formatSocketAddress,
  parseHostPort,
  parseSocketAddress,
} from "../../src/base/socket_address.ts";
import { visibleLayout, visibleText } from "../../src/base/visible_text.ts";
import type { ConfigError } from "../../src/config/config_error.ts";
import { parseDuration } from "../../src/config/duration.ts";
import { builtinConfig } from "../../src/config/builtin.ts";
import { parseKeyFile } from "../../src/config/key_file.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { describeChanges } from "../../src/config/reload_diff.ts";
import { SCHEMA } from "../../src/config/schema.ts";
import {
  HttpRequestReader,
  type RequestStep,
} from "../../src/daemon/observability/http_request.ts";
import {
  entryAfter,
  entryAt,
  leapBefore,
  parseLeapTable,
} from "../../src/engine/leap/leap_table.ts";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { describeRun } from "../../src/simulation/report.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import { SCENARIO_SCHEMA } from "../../src/simulation/scenario/schema.ts";
import { httpRequest, keyFile, leapFile } from "./grammar_texts.ts";
import { oddScenario } from "./grammar_scenario.ts";
import { tomlOf } from "./grammar_toml.ts";
import { chance, pick } from "./mutate.ts";
import { startEngine } from "./engine_start.ts";
import type { FuzzTarget } from "./target.ts";

const CONFIG_TEXT = `[source-defaults]
poll-interval-limits = { min = 4, max = 10 }
[[source]]
mode = "pool"
address = "pool.ntp.org:123"
count = 4
[[server]]
listen = "[::]:123"
rate-limit = { interval = 3, burst = 8, leak = 2 }
[synchronization]
step-threshold = "128ms"
`;
const SCENARIO_TEXT = `name = "a"
duration = "1min"
[[server]]
name = "b"
[[event]]
at = 20
kind = "server-dies"
server = "b"
`;
/** A scenario that lasts longer is read and not run. */
const RUN_SECONDS_MAX = 3600;
const RUN_SERVERS_MAX = 4;
const encode = (text: string): Bytes => new TextEncoder().encode(text);
const textOf = (octets: Uint8Array): string => new TextDecoder().decode(octets);
const hex = (text: string): string => toHex(encode(text));

/** The targets. */
export const TEXT_TARGETS: readonly FuzzTarget[] = [
  {
    name: "config",
    oracle: "a refusal says where and why; what is accepted starts an engine and can be compared",
    budget: 300,
    seeds: [hex(CONFIG_TEXT)],
    generate: (random) => encode(tomlOf(SCHEMA, random)),
    run: fuzzConfig,
  },
  {
    name: "scenario",
    oracle:
      "a refusal says where and why; what is accepted and short runs to its end, with numbers that are numbers",
    budget: 60,
    seeds: [hex(SCENARIO_TEXT)],
    generate: (random) => encode(chance(random, 0.5) ? oddScenario(random) : anyScenario(random)),
    run: fuzzScenario,
  },
  {
    name: "key-file",
    oracle: "each key has the length of its type, each fault a line, and no fault shows a key",
    budget: 1500,
    seeds: [hex("1 SHA256 HEX:00112233445566778899\n2 AES128 00112233445566778899aabbccddeeff\n")],
    generate: (random) => encode(keyFile(random)),
    run: fuzzKeyFile,
  },
  {
    name: "leap-file",
    oracle: "a table is in the order of time, a second at a time; a digit that changes is noticed",
    budget: 1000,
    seeds: [],
    generate: (random) => encode(leapFile(random)),
    run: fuzzLeapFile,
  },
  {
    name: "address",
    oracle:
      "what is read as an address, a duration or a visible text is written and read again as the same",
    budget: 3000,
    seeds: [hex("[2001:db8::1]:123"), hex("192.0.2.1"), hex("ntp.example.net:4460"), hex("4w")],
    generate: (random) =>
      encode(
        pick(random, ["[fe80::1%2]:1", "::ffff:1.2.3.4", "1.2.3.4:0", "a:1", "250ms", "\u202e"]),
      ),
    run: fuzzAddress,
  },
  {
    name: "http-request",
    oracle:
      "the pieces in which a request comes do not matter; a path has visible characters alone",
    budget: 1500,
    seeds: [
      hex("GET /status?x HTTP/1.1\r\nHost: localhost:9975\r\nAccept: */*\r\n\r\n"),
      hex("HEAD http://[::1]:9975/metrics HTTP/1.0\nHost: a.example\n\n"),
    ],
    generate: (random) => encode(httpRequest(random)),
    run(octets) {
      const whole = readRequest(octets, octets.length);
      for (const piece of [7, 1000]) {
        assert.deepEqual(readRequest(octets, piece), whole, "pieces do not matter");
      }
      if (whole.kind === "request") assert.ok(!/[^!-~]/.test(whole.request.path));
    },
  },
];

/** Makes a scenario of all keys that there are, and short. */
function anyScenario(random: RandomSource): string {
  const duration = pick(random, ["30", '"2min"', "90.5"]);
  const rest = tomlOf(SCENARIO_SCHEMA, random, { configuration: 0, duration: 0, server: 1 });
  return `duration = ${duration}\n${rest}`;
}

function fuzzConfig(octets: Bytes): void {
  const parsed = parseConfig(textOf(octets));
  if (!parsed.ok) return checkErrors(parsed.error);
  for (const note of parsed.value.notes) assert.ok(note.message.length > 0);
  const { config } = parsed.value;
  assert.deepEqual(describeChanges(config, config), []);
  for (const line of describeChanges(builtinConfig(), config)) {
    assert.ok(!line.includes("undefined"));
  }
  startEngine(config);
}

function checkErrors(errors: readonly ConfigError[]): void {
  assert.ok(errors.length > 0, "a refusal says why");
  for (const { message } of errors) {
    assert.ok(
      message.length > 0 && message.length < 2000 &&
        (!message.endsWith(".") || message.includes("found ")),
      message,
    );
  }
}

function fuzzScenario(octets: Bytes): void {
  const parsed = parseScenario(textOf(octets));
  if (!parsed.ok) return checkErrors(parsed.error);
  const { duration, servers } = parsed.value;
  if (duration > RUN_SECONDS_MAX || servers.length > RUN_SERVERS_MAX) return;
  const outcome = runScenario(parsed.value, { seed: 1, createEngine: createSimulatedEngine });
  numbersAreNumbers(outcome.figures, "figures");
  assert.ok(describeRun(parsed.value, { outcome, file: "odd.toml" }).length > 0);
}

/** Throws when there is a number in a document that is not one. */
function numbersAreNumbers(value: unknown, path: string): void {
  if (typeof value === "number") return assert.ok(!Number.isNaN(value), `${path} is NaN`);
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) numbersAreNumbers(part, `${path}.${key}`);
}

function fuzzKeyFile(octets: Bytes): void {
  const text = textOf(octets);
  const { keys, errors } = parseKeyFile(text);
  for (const [id, { type, secret }] of keys) {
    assert.ok(id >= 1 && id <= 0xffff_ffff && secret.length > 0);
    if (type === "aes128") assert.equal(secret.length, 16);
    if (type === "aes256") assert.equal(secret.length, 32);
  }
  const words = text.split(/\s+/).filter((word) => /^(HEX:)?[0-9a-f]{16,}$/i.test(word));
  for (const { line, message } of errors) {
    assert.ok(line >= 1 && message.length > 0);
    assert.ok(!words.some((word) => message.includes(word)), `a secret in ${message}`);
  }
}

function fuzzLeapFile(octets: Bytes): void {
  const text = textOf(octets);
  const parsed = parseLeapTable(text);
  if (!parsed.ok) return assert.ok(parsed.error.length > 0);
  const { entries, expiresAt, updatedAt } = parsed.value;
  assert.ok(Number.isFinite(expiresAt) && Number.isFinite(updatedAt));
  for (const [i, entry] of entries.entries()) {
    const before = entries[i - 1];
    assert.equal(entryAt(parsed.value, entry.at), entry);
    if (before === undefined) continue;
    assert.ok(entry.at > before.at && Math.abs(entry.taiOffset - before.taiOffset) === 1);
    assert.ok(leapBefore(parsed.value, entry) !== undefined);
    assert.equal(entryAfter(parsed.value, before.at), entry);
  }
  const damaged = text.replace(
    /^(\d*)(\d)/m,
    (_, head, digit) => `${head}${(Number(digit) + 1) % 10}`,
  );
  if (damaged !== text) assert.equal(parseLeapTable(damaged).ok, false, "a changed digit");
}

function fuzzAddress(octets: Bytes): void {
  const text = textOf(octets);
  const socket = parseSocketAddress(text, 123);
  if (socket !== undefined) {
    assert.deepEqual(parseSocketAddress(formatSocketAddress(socket)), socket);
    assert.ok(socket.port >= 0 && socket.port <= 65_535);
  }
  const named = parseHostPort(text);
  if (named !== undefined) assert.ok(named.host.length > 0);
  const address = canonicalIp(text);
  if (address !== undefined) assert.equal(canonicalIp(address), address);
  const bytes = ipToBytes(text);
  if (bytes !== undefined) {
    assert.ok(bytes.length === 4 || bytes.length === 16);
    assert.deepEqual(ipToBytes(ipFromBytes(bytes) ?? ""), bytes);
  }
  const duration = parseDuration(text);
  if (duration !== undefined) assert.ok(duration >= 0);
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/.test(visibleText(text)));
  assert.equal(visibleText(visibleText(text)), visibleText(text));
  assert.equal(visibleLayout(visibleLayout(text)), visibleLayout(text));
}

function readRequest(octets: Bytes, piece: number): RequestStep {
  const reader = new HttpRequestReader();
  let step: RequestStep = { kind: "wait" };
  for (let at = 0; at < octets.length && step.kind === "wait"; at += piece) {
    step = reader.feed(octets.subarray(at, at + piece));
  }
  return step;
}
