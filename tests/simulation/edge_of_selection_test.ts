/**
 * A source at the edge of what others allow does not come and go: its status follows evidence.
 *
 * Before what was found before counted, these worlds had 80 to 360 changes in ten hours.
 */
import assert from "node:assert/strict";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";

const CHANGES_MAX = 40;

/** Ten hours with good servers and some that are off by about their own error bound, or twice. */
function worldOf(
  { good, edge, offset, distribution }: {
    readonly good: number;
    readonly edge: number;
    readonly offset: string;
    readonly distribution: string;
  },
): string {
  const servers = `
    [[server]]
    name = "good"
    count = ${good}
    [[server]]
    name = "edge"
    count = ${edge}
    offset = "${offset}"`;
  return `
    name = "edge"
    duration = "10h"
    clock = { offset = "50ms", frequency-ppm = 12, wander = 1e-9 }
    [server-defaults]
    delay = "5ms"
    jitter = "2ms"
    distribution = "${distribution}"
    ${servers}
    [ntpsd.source-defaults]
    poll-interval-limits = { min = 4, max = 4 }`;
}

function trusting(count: number, others: number): string {
  const source = (name: string, more = "") =>
    `[[ntpsd.source]]\nmode = "server"\naddress = "${name}"\n${more}`;
  return [
    "",
    ...Array.from({ length: count }, (_, i) => source(`good-${i + 1}`, "trust = true\n")),
    ...Array.from({ length: others }, (_, i) => source(`edge-${i + 1}`)),
  ].join("\n");
}

const WORLDS: readonly (readonly [string, string])[] = [
  [
    "two beside four trusted ones, off by half of what all admit,",
    worldOf({ good: 4, edge: 2, offset: "5.2ms", distribution: "exponential" }) + trusting(4, 2),
  ],
  [
    "a false one that nearly agrees",
    worldOf({ good: 4, edge: 1, offset: "10.2ms", distribution: "exponential" }),
  ],
];

for (const [name, text] of WORLDS) {
  Deno.test(`${name} does not come and go`, () => {
    const scenario = parseScenario(text);
    assert.ok(scenario.ok, scenario.ok ? "" : JSON.stringify(scenario.error));
    const outcome = runScenario(scenario.value, { seed: 1, createEngine: createSimulatedEngine });
    const changes = outcome.timeline.length + outcome.timelineDropped;
    assert.ok(changes <= CHANGES_MAX, `${changes} changes`);
    assert.ok((outcome.figures.rmsErrorSeconds ?? 1) < 1e-4);
    assert.equal(outcome.figures.boundCoverage, 1);
  });
}
