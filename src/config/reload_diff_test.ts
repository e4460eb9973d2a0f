import { deepEqual, ok } from "node:assert/strict";
import type { Config } from "./config.ts";
import { parseConfig } from "./parse.ts";
import { changedSections, describeChanges } from "./reload_diff.ts";

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
  deepEqual(changedSections(config(BEFORE), config(BEFORE)), []);
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
    "source a.example: removed",
    "source p.example: count 4 -> 6",
    "source p.example: poll-interval-limits.max 10 -> 8",
    "source n.example: added",
    'server 0.0.0.0:123: denylist unset -> { filter = ["192.0.2.0/24"], action = "ignore" }',
    "server 0.0.0.0:123: accept-ntp-versions [1, 2, 3, 4] -> [4]",
    'keys.file unset -> "/etc/ntp.keys"',
    "synchronization.minimum-agreeing-sources 2 -> 3",
    "synchronization.single-step-panic-threshold.forward 1000 -> unset",
    "synchronization.single-step-panic-threshold.backward 1000 -> unset",
    "clock.max-slew-ppm 83333 -> 500",
    'observability.log-level "info" -> "debug"',
  ]);
  deepEqual(changedSections(config(BEFORE), config(after)), [
    "keys.file",
    "synchronization",
    "clock",
    "observability",
  ]);
});
