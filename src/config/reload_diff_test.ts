import { deepEqual, ok } from "node:assert/strict";
import type { Config } from "./config.ts";
import { parseConfig } from "./parse.ts";
import { describeChanges } from "./reload_diff.ts";
import { effectOf, RELOAD_EFFECTS } from "./reload_effect.ts";
import { SCHEMA } from "./schema.ts";

function config(text: string): Config {
  const parsed = parseConfig(text);
  ok(parsed.ok);
  return parsed.value.config;
}

const BEFORE = `
[[source]]
mode = "server"
address = "a.example"
[[source]]
mode = "pool"
address = "p.example"
[[server]]
listen = "0.0.0.0:123"
[synchronization]
minimum-agreeing-sources = 2
`;

Deno.test("nothing is told of what stays", () => {
  deepEqual(describeChanges(config(BEFORE), config(`# a comment\n${BEFORE}`)), []);
});

Deno.test("the order of sources is no change", () => {
  const one = '[[source]]\nmode = "server"\naddress = "a.example"\n';
  const two = '[[source]]\nmode = "server"\naddress = "b.example"\n';
  deepEqual(describeChanges(config(one + two), config(two + one)), []);
});

Deno.test("every change is told by address and key", () => {
  const after = `
[[source]]
mode = "pool"
address = "p.example"
count = 6
poll-interval-limits = { min = 4, max = 8 }
[[source]]
mode = "nts"
address = "n.example"
[[server]]
listen = "0.0.0.0:123"
denylist = { filter = ["192.0.2.0/24"] }
accept-ntp-versions = [4]
[keys]
file = "/etc/ntp.keys"
[synchronization]
minimum-agreeing-sources = 3
single-step-panic-threshold = "inf"
[clock]
max-slew-ppm = 500
[observability]
log-level = "debug"
`;
  deepEqual(describeChanges(config(BEFORE), config(after)), [
    "source a.example: removed (applied)",
    "source p.example: count 4 -> 6 (applied)",
    "source p.example: poll-interval-limits.max 10 -> 8 (applied)",
    "source n.example: added (applied)",
    'server 0.0.0.0:123: denylist unset -> { filter = ["192.0.2.0/24"], action = "ignore" } (applied)',
    "server 0.0.0.0:123: accept-ntp-versions [1, 2, 3, 4] -> [4] (applied)",
    'keys.file unset -> "/etc/ntp.keys" (applied)',
    "synchronization.minimum-agreeing-sources 2 -> 3 (applied)",
    "synchronization.single-step-panic-threshold.forward 1000 -> unset (applied)",
    "synchronization.single-step-panic-threshold.backward 1000 -> unset (applied)",
    "clock.max-slew-ppm 83333 -> 500 (applied)",
    'observability.log-level "info" -> "debug" (applied)',
  ]);
});

Deno.test("what the command line decides is not called applied", () => {
  const before = config(""), after = config('[observability]\nlog-level = "debug"\n');
  deepEqual(describeChanges(before, after, ["observability.log-level"]), [
    'observability.log-level "info" -> "debug" (the command line says otherwise)',
  ]);
});

/** For each key of each section a text before and a text after, of which nothing but the key differs. */
const SAMPLES: Readonly<
  Record<string, readonly (readonly [key: string, before: string, after: string])[]>
> = {
  "source-defaults": [
    [
      "poll-interval-limits",
      "poll-interval-limits = { max = 8 }",
      "poll-interval-limits = { max = 9 }",
    ],
    ["initial-poll-interval", "initial-poll-interval = 5", "initial-poll-interval = 6"],
  ],
  "source": [
    ["mode", 'mode = "pool"', 'mode = "nts-pool"'],
    ["address", 'address = "a.example"', 'address = "b.example"'],
    ["count", "count = 3", "count = 5"],
    ["ignore", "", 'ignore = ["192.0.2.1"]'],
    ["certificate-authority", 'mode = "nts"', 'mode = "nts"\ncertificate-authority = "/a"'],
    ["aead-algorithms", 'mode = "nts"', 'mode = "nts"\naead-algorithms = [15]'],
    ["iburst", "", "iburst = false"],
    ["prefer", "", "prefer = true"],
    ["trust", "", "trust = true"],
    ["require", "", "require = true"],
    ["no-select", "", "no-select = true"],
    ["key", "", "key = 3"],
    ["poll-interval-limits", "", "poll-interval-limits = { max = 8 }"],
    ["initial-poll-interval", "", "initial-poll-interval = 6"],
    ["interleaved", "", "interleaved = true"],
  ],
  "server": [
    ["listen", 'listen = "0.0.0.0:123"', 'listen = "0.0.0.0:124"'],
    ["allowlist", "", 'allowlist = { filter = ["192.0.2.0/24"] }'],
    ["denylist", "", 'denylist = { filter = ["192.0.2.0/24"] }'],
    ["rate-limit", "", "rate-limit = {}"],
    ["require-nts", "", "require-nts = true"],
    ["accept-ntp-versions", "", "accept-ntp-versions = [4]"],
    ["interleaved", "", "interleaved = false"],
    ["reuse-port", "", "reuse-port = true"],
    ["client-table", "", "client-table = true"],
  ],
  "nts-ke-server": [
    ["listen", 'listen = "0.0.0.0:4460"', 'listen = "0.0.0.0:4461"'],
    ["certificate-chain-path", 'certificate-chain-path = "/c"', 'certificate-chain-path = "/d"'],
    ["private-key-path", 'private-key-path = "/k"', 'private-key-path = "/l"'],
    ["key-exchange-timeout-ms", "", "key-exchange-timeout-ms = 2000"],
    ["concurrent-connections", "", "concurrent-connections = 9"],
    ["ntp-server", "", 'ntp-server = "a.example"'],
    ["ntp-port", "", "ntp-port = 124"],
  ],
  "keyset": [
    ["stale-key-count", "", "stale-key-count = 9"],
    ["key-rotation-interval", "", 'key-rotation-interval = "2d"'],
    ["key-storage-path", "", 'key-storage-path = "/k"'],
  ],
  "keys": [["file", 'file = "/a"', 'file = "/b"']],
  "synchronization": [
    ["authentication", "", 'authentication = "ignore"'],
    ["minimum-agreeing-sources", "", "minimum-agreeing-sources = 2"],
    ["single-step-panic-threshold", "", "single-step-panic-threshold = 5"],
    ["startup-step-panic-threshold", "", "startup-step-panic-threshold = 5"],
    ["accumulated-step-panic-threshold", "", "accumulated-step-panic-threshold = 5"],
    ["local-stratum", "", "local-stratum = 5"],
    ["reference-id", "local-stratum = 5", 'local-stratum = 5\nreference-id = "GPS"'],
    ["step-threshold", "", "step-threshold = 1"],
    ["step-limit", "", "step-limit = 1"],
  ],
  "clock": [
    ["adjust", "", "adjust = false"],
    ["drift-file", "", 'drift-file = "/d"'],
    ["max-frequency-ppm", "", "max-frequency-ppm = 100"],
    ["max-slew-ppm", "", "max-slew-ppm = 100"],
    ["leap-seconds-file", "", 'leap-seconds-file = "/l"'],
  ],
  "nts": [
    ["cookie-storage-path", "", 'cookie-storage-path = "/c"'],
    ["strict", "", "strict = true"],
  ],
  "observability": [
    ["log-level", "", 'log-level = "debug"'],
    ["listen", "", 'listen = "127.0.0.1:9976"'],
    ["hosts", "", 'hosts = ["a.example"]'],
    ["ready-when-synchronized", "", "ready-when-synchronized = true"],
    ["statistics-path", "", 'statistics-path = "/s"'],
  ],
  "security": [
    ["user", "", 'user = "ntp"'],
    ["seccomp", "", "seccomp = false"],
  ],
};

/** What a section needs that nothing but one key of it is wrong; a key that is written in the sample is left out of it. */
const NEEDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "source": { mode: '"pool"', address: '"a.example"' },
  "server": { listen: '"0.0.0.0:123"' },
  "nts-ke-server": {
    "listen": '"0.0.0.0:4460"',
    "certificate-chain-path": '"/c"',
    "private-key-path": '"/k"',
    "ntp-server": '"c.example"',
  },
};

function sectionText(section: string, sample: string): string {
  const isList = Object.hasOwn(NEEDED, section);
  const needed = Object.entries(NEEDED[section] ?? {})
    .filter(([key]) => !new RegExp(`^${key} =`, "m").test(sample))
    .map(([key, value]) => `${key} = ${value}`);
  const beside = section === "keys" ? "" : '[keys]\nfile = "/keys"\n';
  const source = section === "source" ? "" : '[[source]]\nmode = "pool"\naddress = "p.example"\n';
  const heading = isList ? `[[${section}]]` : `[${section}]`;
  return [beside, source, heading, ...needed, sample, ""].join("\n");
}

Deno.test("every key of the schema has an effect, and nothing else has", () => {
  const keys = Object.entries(SCHEMA.keys ?? {}).map(([section, { field }]) => [
    section,
    Object.keys(field.keys ?? {}).sort(),
  ]);
  const effects = Object.entries(RELOAD_EFFECTS).map(([section, table]) => [
    section,
    Object.keys(table).sort(),
  ]);
  deepEqual(Object.fromEntries(effects), Object.fromEntries(keys));
  const sampled = Object.entries(SAMPLES).map(([section, rows]) => [
    section,
    rows.map(([key]) => key).sort(),
  ]);
  deepEqual(Object.fromEntries(sampled), Object.fromEntries(keys));
});

for (const [section, rows] of Object.entries(SAMPLES)) {
  for (const [key, before, after] of rows) {
    Deno.test(`a reload tells a change of ${section}.${key}, and what becomes of it`, () => {
      const changes = describeChanges(
        config(sectionText(section, before)),
        config(sectionText(section, after)),
      );
      ok(changes.length > 0, `${key} is told`);
      const expected = effectOf(section, key);
      const told = changes.filter((line) => line.endsWith(`(${expected})`));
      deepEqual(changes.filter((line) => !told.includes(line)), []);
      const isName = key === "address" || key === "listen" && section !== "observability";
      ok(changes.some((line) => line.includes(isName ? section : key)), changes.join());
    });
  }
}
