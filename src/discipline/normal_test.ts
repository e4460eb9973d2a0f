import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { type Evidence, gaussianEvidence, intervalEvidence, normalTail } from "./normal.ts";

const evidence = (): Evidence => ({ logEvidence: 0, slope: 0, remaining: 1 });

Deno.test("the tail of the normal distribution agrees with tabulated values", () => {
  const table: readonly (readonly [number, number])[] = [
    [0, 0.5],
    [1, 0.158655253931457],
    [2, 0.0227501319481792],
    [6, 9.86587645037698e-10],
    [-2, 0.977249868051821],
    [20, 2.75362411860623e-89],
  ];
  for (const [x, expected] of table) {
    assert.ok(Math.abs(normalTail(x) / expected - 1) < 1e-12, `at ${x}: ${normalTail(x)}`);
  }
});

Deno.test("interval evidence agrees with a numerical integral", () => {
  for (const tilt of [0, 700, -1500]) {
    const interval = { low: -1e-3, high: 2e-3, tilt, softness: 1e-4 };
    const belief = { mean: 1.7e-3, variance: 1e-6 };
    const got = intervalEvidence(interval, belief, evidence());
    assert.ok(Math.abs(got.logEvidence - integral(interval, belief)) < 1e-6, `tilt ${tilt}`);
  }
});

Deno.test("slope and what remains are the derivatives of the evidence", () => {
  fc.assert(fc.property(
    fc.double({ min: -3, max: 3, noNaN: true }),
    fc.double({ min: 0.05, max: 4, noNaN: true }),
    fc.double({ min: -2, max: 2, noNaN: true }),
    (mean, half, tilt) => {
      const interval = { low: -half, high: half, tilt, softness: 0.3 };
      const at = (m: number) => intervalEvidence(interval, { mean: m, variance: 0.8 }, evidence());
      const step = 1e-4;
      const [before, here, after] = [at(mean - step), at(mean), at(mean + step)];
      const slope = (after.logEvidence - before.logEvidence) / (2 * step);
      const curvature = (after.slope - before.slope) / (2 * step);
      assert.ok(Math.abs(slope - here.slope) < 1e-5);
      assert.ok(Math.abs(1 + 0.8 * curvature - here.remaining) < 1e-5);
    },
  ));
});

Deno.test("an interval never widens a belief, however the two lie", () => {
  fc.assert(fc.property(
    fc.double({ min: -5, max: 5, noNaN: true }),
    fc.double({ min: 0.001, max: 10, noNaN: true }),
    (mean, half) => {
      const interval = { low: -half, high: half, tilt: 0, softness: 0.1 };
      const { remaining } = intervalEvidence(interval, { mean, variance: 1 }, evidence());
      assert.ok(remaining <= 1 && remaining > 0, `${remaining}`);
    },
  ));
});

Deno.test("belief and interval that are worlds apart are told by -Infinity, not by NaN", () => {
  const interval = { low: 1000, high: 1001, tilt: 0, softness: 1e-9 };
  const got = intervalEvidence(interval, { mean: 0, variance: 1 }, evidence());
  assert.deepEqual(got, { logEvidence: -Infinity, slope: 0, remaining: 1 });
});

Deno.test("Gaussian evidence gives the Kalman filter's gain", () => {
  const got = gaussianEvidence({ mean: 3, variance: 2 }, { mean: 1, variance: 6 }, evidence());
  assert.equal(got.slope * 6, 1.5);
  assert.equal(6 * got.remaining, 1.5);
});

Deno.test("a narrow interval is told as by the wide one's formula, and by none worse", () => {
  for (const tilt of [0, 3]) {
    for (const mean of [0, 0.7, -4, 30]) {
      // on both sides of where the formula changes
      const [narrow, wide] = [0.9999e-2, 1.0001e-2].map((width) =>
        intervalEvidence(
          { low: -width / 2, high: width / 2, tilt, softness: 1e-9 },
          { mean, variance: 1 },
          evidence(),
        )
      );
      assert.ok(narrow !== undefined && wide !== undefined);
      assert.ok(Math.abs(narrow.logEvidence - wide.logEvidence) < 1e-4, `mean ${mean}`);
      assert.ok(Math.abs(narrow.slope - wide.slope) < 1e-4, `mean ${mean}`);
      assert.ok(Math.abs(narrow.remaining / wide.remaining - 1) < 2e-3, `mean ${mean}`);
    }
  }
});

Deno.test("what remains is right for an interval a million million times narrower than the belief", () => {
  for (const width of [1e-3, 1e-6, 1e-9, 1e-14]) {
    const interval = { low: 2, high: 2 + width, tilt: 0, softness: width / 100 };
    const { remaining, slope } = intervalEvidence(interval, { mean: 0, variance: 4 }, evidence());
    // a uniform density of that width, and its soft edges
    const expected = (width * width / 12 + width * width * 1e-4) / 4;
    const measured = 2 + width - 2;
    assert.ok(Math.abs(remaining / expected - 1) < 0.2, `${width}: ${remaining} ${measured}`);
    assert.ok(Math.abs(4 * slope - 2) < 1e-3);
  }
});

function integral(
  interval: { low: number; high: number; tilt: number; softness: number },
  belief: { mean: number; variance: number },
): number {
  const variance = belief.variance + interval.softness ** 2;
  const steps = 20_000;
  const width = (interval.high - interval.low) / steps;
  let mass = 0;
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const x = interval.low + (i + 0.5) * width;
    const density = Math.exp(-interval.tilt * x);
    mass += density;
    sum += density * Math.exp(-0.5 * (x - belief.mean) ** 2 / variance) /
      Math.sqrt(2 * Math.PI * variance);
  }
  return Math.log(sum / mass);
}
