import assert from "node:assert/strict";
import type { SystemEstimate } from "../../discipline/discipline.ts";
import { DriftKeeper } from "./drift_keeper.ts";

/** An estimate of -20 ppm, known to so many parts per million. */
function known(to: number): SystemEstimate {
  return {
    offset: 0,
    offsetVariance: 1e-12,
    frequency: -20e-6,
    frequencyVariance: (to * 1e-6) ** 2,
    likelyFrequencyVariance: (to * 1e-6) ** 2,
    likelyWanderVariance: 1e-18,
    age: 0,
    doubt: 0,
  };
}

Deno.test("a good frequency is saved at once, and then every hour", () => {
  const keeper = new DriftKeeper();
  const [saved, ...others] = keeper.consider(known(0.5), 100);
  assert.ok(saved?.type === "save-drift" && others.length === 0);
  assert.equal(saved.frequency.toFixed(9), "-20.000000000");
  assert.equal(saved.skew.toFixed(9), "0.500000000");
  assert.deepEqual(keeper.consider(known(0.1), 3699), []);
  assert.equal(keeper.consider(known(0.1), 3700).length, 1);
});

Deno.test("a frequency that is hardly known is not saved, nor is the hour lost by it", () => {
  const keeper = new DriftKeeper();
  assert.deepEqual(keeper.consider(known(1.1), 100), []);
  assert.equal(keeper.consider(known(0.9), 101).length, 1);
});

Deno.test("at the end the frequency is saved with its uncertainty, if it says anything", () => {
  const keeper = new DriftKeeper();
  keeper.consider(known(0.5), 100);
  assert.equal(keeper.finish(known(0.5)).length, 1);
  const [saved] = keeper.finish(known(8));
  assert.ok(saved?.type === "save-drift");
  assert.equal(saved.skew.toFixed(6), "8.000000");
  assert.deepEqual(keeper.finish(known(26)), []);
  assert.deepEqual(keeper.finish(known(NaN)), []);
  assert.deepEqual(keeper.finish(undefined), []);
});
