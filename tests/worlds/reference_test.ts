import assert from "node:assert/strict";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import { Onlooker } from "./onlooker.ts";
import { lineThrough, type OffsetSample, PlainEstimator } from "./reference.ts";

function samples(count: number, offsetAt: (raw: number) => number): readonly OffsetSample[] {
  return Array.from({ length: count }, (_, i) => ({ raw: 64 * i, offset: offsetAt(64 * i) }));
}

function near(actual: number | undefined, expected: number, tolerance = 1e-12): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= tolerance, `${actual}, ${expected}`);
}

Deno.test("a straight line is found, and single wild samples do not move it", () => {
  const wild = samples(64, (raw) => 0.1 + 1e-5 * raw + (raw % 640 === 64 ? 1 : 0));
  const line = lineThrough(wild);
  near(line.slope, 1e-5);
  near(line.offset + line.slope * (1000 - line.raw), 0.11);
});

Deno.test("what was before a change is left behind", () => {
  const line = lineThrough(samples(64, (raw) => raw < 64 * 54 ? 0 : 1));
  near(line.offset, 1);
  near(line.slope, 0);
});

Deno.test("the middle of the sources counts, and one that is silent does not", () => {
  const estimator = new PlainEstimator();
  assert.equal(estimator.offsetAt(0), undefined);
  for (const raw of [0, 16, 32]) {
    estimator.take("a", { raw, offset: 1 });
    estimator.take("b", { raw, offset: 2 });
    estimator.take("c", { raw, offset: 600 });
  }
  near(estimator.offsetAt(40), 2);
  for (let raw = 48; raw <= 320; raw += 16) {
    estimator.take("a", { raw, offset: 1 });
    estimator.take("b", { raw, offset: 2 });
  }
  near(estimator.offsetAt(320), 1.5);
});

// Steps, slews, sleep and a leap second must not show in what the bare oscillator is reckoned to be.
const EVENTFUL = `
name = "eventful"
duration = 9000
measure-from = 300
start = 2026-06-30T22:30:00Z
clock = { offset = "700s", frequency-ppm = 90 }
[[server]]
name = "a"
distribution = "none"
[[event]]
at = 2000
kind = "clock-step"
step = "3s"
[[event]]
at = 3000
kind = "oscillator-step"
frequency-ppm = 1e-6
[[event]]
at = 4000
kind = "suspend"
duration = 300
[[event]]
at = 5400
kind = "leap"
leap = "insert"
[ntpsd.source-defaults]
poll-interval-limits = { min = 4, max = 4 }
`;

Deno.test("the oscillator is reckoned back through all that the clock is told", () => {
  const parsed = parseScenario(EVENTFUL);
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  const onlooker = new Onlooker(parsed.value);
  const { createEngine } = onlooker;
  const outcome = runScenario(parsed.value, { seed: 1, createEngine, observer: onlooker });
  assert.equal(outcome.panic, undefined);
  assert.ok(outcome.figures.steps >= 2, String(outcome.figures.steps));
  // Only until the first sample after the sleep is the frequency unknown again.
  assert.ok(onlooker.reference.max < 1e-3, String(onlooker.reference.max));
  assert.ok(onlooker.reference.rms < 20e-6, String(onlooker.reference.rms));
});
