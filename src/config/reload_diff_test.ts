import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Config } from "./config.ts";
import { parseConfig } from "./parse.ts";
import { builtName } from "./key.ts";
import { describeChanges, EFFECT_WORDS } from "./reload_diff.ts";
import { SECTIONS } from "./schema.ts";

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
  deepEqual(describeChanges(before, after, { overridden: ["observability.log-level"] }), [
    'observability.log-level "info" -> "debug" (the command line says otherwise)',
  ]);
});

/** Has a section of every kind. */
const FULL = `
[[source]]
mode = "server"
address = "a.example"
[[server]]
listen = "0.0.0.0:123"
[[nts-ke-server]]
listen = "0.0.0.0:4460"
certificate-chain-path = "/c"
private-key-path = "/k"
[keys]
file = "/keys"
`;

/** Returns the configuration with another value of one key, as the program uses it. */
function changed(before: Config, section: string, key: string): Config {
  if (section === "keys") return { ...before, keysFile: "/other" };
  const members = structuredClone(before) as unknown as Record<string, unknown>;
  const found = members[builtName(section)] ?? members[`${builtName(section)}s`];
  const table = (Array.isArray(found) ? found[0] : found) as Record<string, unknown>;
  ok(builtName(key) in table, `${section}.${key} is built`);
  table[builtName(key)] = "changed";
  return members as unknown as Config;
}

for (const { name: section, keys, identity } of SECTIONS) {
  // What [source-defaults] says is built into each source.
  if (section === "source-defaults") continue;
  for (const [key, { reload }] of Object.entries(keys)) {
    Deno.test(`a reload tells a change of ${section}.${key}, and what becomes of it`, () => {
      ok(reload !== undefined, "the section says what becomes of it");
      const before = config(FULL);
      const changes = describeChanges(before, changed(before, section, key));
      if (key === identity) {
        deepEqual(changes.map((line) => line.replace(/^.* /, "")), ["(applied)", "(applied)"]);
        return;
      }
      equal(changes.length, 1, changes.join());
      match(changes[0] ?? "", new RegExp(`[ .]${key} .* -> `));
      ok(changes[0]?.endsWith(`(${EFFECT_WORDS[reload]})`), changes[0]);
    });
  }
}

/**
 * For keys whose value comes of a rule a text before and a text after, and the beginning of what is
 * told.
 */
const RULES: readonly (readonly [before: string, after: string, told: readonly string[]])[] = [
  [
    "[source-defaults]\npoll-interval-limits = { max = 8 }",
    "[source-defaults]\npoll-interval-limits = { max = 9 }",
    ["source p.example: poll-interval-limits.max 8 -> 9 (applied)"],
  ],
  [
    "[source-defaults]\ninitial-poll-interval = 5",
    "[source-defaults]\ninitial-poll-interval = 6",
    ["source p.example: initial-poll-interval 5 -> 6 (applied to servers that are polled from now on)"],
  ],
  [
    "[synchronization]\nlocal-stratum = 16",
    "[synchronization]\nlocal-stratum = 5",
    ["synchronization.local-stratum unset -> 5 (applied)"],
  ],
  [
    '[synchronization]\nsingle-step-panic-threshold = "inf"',
    '[synchronization]\nsingle-step-panic-threshold = { forward = "1h" }',
    ["synchronization.single-step-panic-threshold.forward unset -> 3600 (applied)"],
  ],
  [
    '[observability]\nlisten = ""',
    "",
    ['observability.listen unset -> "127.0.0.1:9975" (applied)'],
  ],
];

for (const [before, after, told] of RULES) {
  Deno.test(`a reload tells what comes of ${JSON.stringify(after)}`, () => {
    const source = '\n[[source]]\nmode = "pool"\naddress = "p.example"\n';
    deepEqual(describeChanges(config(before + source), config(after + source)), told);
  });
}
