/**
 * The engine with a table of leap seconds, in the simulated world: announced by the table alone,
 * and announced by liars alone.
 */
import assert from "node:assert/strict";
import type { LeapTable } from "../../src/engine/leap/leap_table.ts";
import type { Action } from "../../src/engine/events.ts";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { violationTexts } from "../../src/simulation/report.ts";
import { type RunOutcome, runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import type { DrivenEngine } from "../../src/simulation/engine_factory.ts";
import type { Observer } from "../../src/simulation/observer.ts";

/** 2027-01-01T00:00:00Z in seconds since 1900. */
const NEW_YEAR_2027 = 4_007_750_400;
const DAY = 86_400;

const before: LeapTable = {
  entries: [
    { at: 3_644_697_600, taiOffset: 36 },
    { at: 3_692_217_600, taiOffset: 37 },
  ],
  updatedAt: NEW_YEAR_2027 - 100 * DAY,
  expiresAt: NEW_YEAR_2027 + 100 * DAY,
};

const withLeap = (taiOffset: number): LeapTable => ({
  ...before,
  entries: [...before.entries, { at: NEW_YEAR_2027, taiOffset }],
});

/** Six hours before and four after the end of 2026. */
const SCENARIO = `
name = "leap-table"
description = "A table of leap seconds."
duration = "10h"
measure-from = "1h"
start = 2026-12-31T18:00:00Z
clock = { offset = "100ms", frequency-ppm = 50, wander = 1e-9 }
`;
const LIMITS = `
[limits]
bound-coverage = 0.999
max-error = "10ms"
steps = 0
must-not-log = ["stepped from outside"]
`;
const SERVERS = `
[[server]]
name = "a"
count = 3
`;

interface Run {
  readonly outcome: RunOutcome;
  readonly texts: readonly string[];
  readonly logs: readonly string[];
  /** TAI offsets that the kernel was given, each change. */
  readonly taiOffsets: readonly (number | undefined)[];
  /** What the kernel was told to arm, each change. */
  readonly armed: readonly string[];
}

function run(text: string, table: LeapTable): Run {
  const parsed = parseScenario(text);
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  const logs: string[] = [], taiOffsets: (number | undefined)[] = [], armed: string[] = [];
  const observer: Observer = {
    sample: () => {},
    snapshot: () => {},
    happened: () => {},
    action: (_, action) => {
      if (action.type === "log") logs.push(action.message);
      if (action.type !== "set-clock") return;
      const { taiOffset } = action.status;
      const leap = action.status.leap === "unknown" ? "none" : action.status.leap;
      if (armed.at(-1) !== leap) armed.push(leap);
      if (taiOffset !== undefined && taiOffsets.at(-1) !== taiOffset) taiOffsets.push(taiOffset);
    },
  };
  const outcome = runScenario(parsed.value, {
    seed: 7,
    createEngine: (seed) => withTable(createSimulatedEngine(seed), table),
    observer,
  });
  return { outcome, texts: violationTexts(outcome), logs, taiOffsets, armed };
}

/** Hands the table to the engine as it starts, as the daemon does. */
function withTable(engine: DrivenEngine, table: LeapTable): DrivenEngine {
  return {
    handle(event, now): readonly Action[] {
      if (event.type !== "start") return engine.handle(event, now);
      const actions = engine.handle({ type: "leap-table", table }, now);
      return [...actions, ...engine.handle(event, now)];
    },
    nextWakeup: () => engine.nextWakeup(),
    snapshot: (now) => engine.snapshot(now),
  };
}

for (const leap of ["insert", "delete"] as const) {
  const taiOffset = leap === "insert" ? 38 : 36;
  const event = (announce: string) =>
    `[[event]]\nat = "6h"\nkind = "leap"\nleap = "${leap}"\nannounce = "${announce}"\n`;
  const checks = `[[check]]\nat = "5h"\nleap = "${leap}"\nstate = "synchronized"\n` +
    `[[check]]\nat = "6h 2min"\nleap = "none"\nstate = "synchronized"\nmax-error = "5ms"\n`;

  Deno.test(`the table alone announces: ${leap}`, () => {
    const text = SCENARIO + SERVERS + event("0s") + checks + LIMITS +
      'must-log = ["A leap second was"]\n';
    const { texts, logs, taiOffsets, armed } = run(text, withLeap(taiOffset));
    assert.deepEqual(texts, []);
    assert.deepEqual(armed, ["none", leap, "none"]);
    assert.deepEqual(taiOffsets, [37, taiOffset]);
    assert.equal(logs.filter((line) => line.includes("the table is believed")).length, 1);
  });

  Deno.test(`the table and the sources announce: ${leap}`, () => {
    const text = SCENARIO + SERVERS + event("1d") + checks + LIMITS +
      'must-log = ["A leap second was"]\n';
    const { texts, logs, taiOffsets } = run(text, withLeap(taiOffset));
    assert.deepEqual(texts, []);
    assert.deepEqual(taiOffsets, [37, taiOffset]);
    assert.deepEqual(logs.filter((line) => line.includes("table")), []);
  });
}

const LIARS = '[[server]]\nname = "liar"\ncount = 3\nleap = "insert"\n';

Deno.test("what sources announce against a valid table is not believed, and said once", () => {
  const checks = '[[check]]\nat = "5h"\nleap = "none"\n[[check]]\nat = "8h"\nleap = "none"\n';
  const { texts, logs, taiOffsets, armed } = run(SCENARIO + LIARS + checks + LIMITS, before);
  assert.deepEqual(texts, []);
  assert.deepEqual(armed, ["none"]);
  assert.deepEqual(taiOffsets, [37]);
  assert.equal(logs.filter((line) => line.includes("they are not believed")).length, 1);
});

Deno.test("with an expired table the sources have their way, and its TAI offset is used", () => {
  const expired = { ...before, expiresAt: NEW_YEAR_2027 - 3 * DAY };
  const checks = '[[check]]\nat = "5h"\nleap = "insert"\n';
  const { logs, taiOffsets, armed } = run(SCENARIO + LIARS + checks, expired);
  assert.deepEqual(armed.slice(0, 2), ["none", "insert"]);
  assert.deepEqual(taiOffsets, [37]);
  assert.equal(logs.filter((line) => line.includes("expired on 2026-12-29")).length, 1);
});
