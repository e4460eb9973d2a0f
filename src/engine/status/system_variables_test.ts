import assert from "node:assert/strict";
import { ntpTimestamp } from "../../base/ntp_timestamp.ts";
import {
  type ErrorBudget,
  errorBudget,
  type Knowledge,
  type Reference,
  stateReason,
  systemState,
} from "./system_variables.ts";
import { SIGMA_MULTIPLIER } from "../../selection/root_distance.ts";

const REFERENCE: Reference = {
  association: 1,
  referenceId: 0xc0000201,
  referenceIdText: "192.0.2.1",
  stratum: 3,
  server: { rootDelay: 0.02, rootDispersion: 0.004 - 2 ** -20, precision: -20 },
  delay: 0.01,
  supported: 0,
  updatedAt: 1000,
  referenceTime: ntpTimestamp(0n),
};

const KNOWLEDGE: Knowledge = {
  now: 1000,
  mayAdjust: true,
  maxClockError: 1e-6,
  selected: true,
  reference: REFERENCE,
  estimate: {
    offset: 1e-3,
    offsetVariance: 4e-6,
    frequency: 1e-5,
    frequencyVariance: 1e-14,
    likelyFrequencyVariance: 1e-14,
    likelyWanderVariance: 1e-18,
    age: 0,
    doubt: 0,
  },
  distance: { offset: -0.5e-3, variance: 1e-8 },
};

function close(actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-12, `${actual} ${expected}`);
}

Deno.test("nothing can be said before there is a reference and an estimate", () => {
  assert.equal(errorBudget({ ...KNOWLEDGE, reference: undefined }), undefined);
  assert.equal(errorBudget({ ...KNOWLEDGE, estimate: undefined }), undefined);
});

Deno.test("the error bound is half the root delay and all of the root dispersion", () => {
  const budget = errorBudget(KNOWLEDGE);
  close(budget?.rootDelay, 0.03);
  // the reference's 4 ms, what is not removed yet, some standard deviations of 0.1 ms
  const rootDispersion = 0.004 + 0.0005 + SIGMA_MULTIPLIER * 1e-4;
  close(budget?.rootDispersion, rootDispersion);
  close(budget?.errorBound, 0.015 + rootDispersion);
  // that is more than as many standard deviations of 0.1 ppm
  close(budget?.growth, 1e-6);
  close(errorBudget({ ...KNOWLEDGE, maxClockError: 1e-7 })?.growth, SIGMA_MULTIPLIER * 1e-7);
});

Deno.test("a reference that the estimate does not know is replaced by the estimate itself", () => {
  const budget = errorBudget({ ...KNOWLEDGE, distance: undefined });
  close(budget?.rootDispersion, 0.004 + 0.001 + SIGMA_MULTIPLIER * 0.002);
});

Deno.test("the dispersion of the reference grows with its age by what the clock may change without notice", () => {
  const calm = {
    offset: 0,
    offsetVariance: 0,
    frequency: 0,
    frequencyVariance: 0,
    likelyFrequencyVariance: 0,
    likelyWanderVariance: 1e-18,
    age: 0,
    doubt: 0,
  };
  const budget = errorBudget({ ...KNOWLEDGE, estimate: calm, now: 11_000 });
  close(budget?.rootDispersion, 0.0045 + SIGMA_MULTIPLIER * 1e-4 + 0.01);
  close(budget?.growth, 1e-6);
  // what the reference says now is doubted
  const doubted = { ...calm, age: 5000 };
  close(
    errorBudget({ ...KNOWLEDGE, estimate: doubted, now: 2000 })?.rootDispersion,
    0.0045 + SIGMA_MULTIPLIER * 1e-4 + 0.005,
  );
  const contradicted = { ...calm, doubt: 0.02 };
  close(
    errorBudget({ ...KNOWLEDGE, estimate: contradicted, now: 1000 })?.rootDispersion,
    0.0245 + SIGMA_MULTIPLIER * 1e-4,
  );
  close(errorBudget({ ...KNOWLEDGE, now: 900 })?.rootDispersion, 0.0045 + SIGMA_MULTIPLIER * 1e-4);
});

function describe(knowledge: Knowledge, about: Parameters<typeof stateReason>[1]) {
  return {
    state: systemState(knowledge, about.budget),
    reason: stateReason(knowledge, about),
  };
}

Deno.test("every state has its word, and all but one a sentence that says why", () => {
  const good: ErrorBudget = { rootDelay: 0, rootDispersion: 0, errorBound: 1.5, growth: 1e-7 };
  const bad = { ...good, errorBound: 1.6 };
  const noSelection = "No source can be reached";
  const state = (knowledge: Partial<Knowledge>, budget: ErrorBudget | undefined) =>
    describe({ ...KNOWLEDGE, ...knowledge }, { budget, noSelection });
  assert.deepEqual(state({}, good), { state: "synchronized", reason: "" });
  assert.deepEqual(state({ selected: false }, good), { state: "holdover", reason: noSelection });
  assert.deepEqual(state({ selected: false }, undefined), {
    state: "starting",
    reason: noSelection,
  });
  assert.deepEqual(state({ mayAdjust: false }, good), {
    state: "monitoring",
    reason: "The clock is measured, not adjusted",
  });
  assert.deepEqual(state({ mayAdjust: false, selected: false }, good), {
    state: "unsynchronized",
    reason: "The clock is not adjusted, and no source can be reached",
  });
  assert.deepEqual(state({}, bad), {
    state: "unsynchronized",
    reason: "The clock may be wrong by 1.600 s while the offset is being corrected",
  });
  assert.deepEqual(state({ mayAdjust: false, notAdjustedReason: "adjust = false" }, bad), {
    state: "unsynchronized",
    reason:
      "The clock is 0.001 s behind what the sources agree on, may be wrong by 1.600 s, and is not adjusted: adjust = false",
  });
  assert.deepEqual(state({ selected: false }, bad), {
    state: "unsynchronized",
    reason: "The clock may be wrong by 1.600 s by now: No source can be reached",
  });
});
