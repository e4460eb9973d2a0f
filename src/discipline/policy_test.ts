import assert from "node:assert/strict";
import type { SynchronizationConfig } from "../config/config.ts";
import { choosePoll, type PollEvidence } from "./poll_policy.ts";
import { planSlew } from "./steering.ts";
import { StepPolicy } from "./step_policy.ts";

const CONFIG: SynchronizationConfig = {
  authentication: "mix",
  minimumAgreeingSources: 1,
  minimumTrustedSources: undefined,
  maxDistance: 1.5,
  singleStepPanicThreshold: { forward: 1000, backward: 1000 },
  startupStepPanicThreshold: undefined,
  accumulatedStepPanicThreshold: undefined,
  localStratum: undefined,
  referenceId: undefined,
  stepThreshold: 0.128,
  stepLimit: 3,
};

Deno.test("steps are made beyond the threshold, in the first updates only", () => {
  const policy = new StepPolicy(CONFIG);
  assert.equal(policy.decide(0.1).kind, "slew");
  assert.equal(policy.decide(-0.2).kind, "step");
  policy.updated(-0.2);
  policy.updated(0);
  assert.equal(policy.decide(0.2).kind, "step");
  policy.updated(0);
  assert.equal(policy.decide(0.2).kind, "slew");
  assert.deepEqual([policy.count, policy.accumulated], [1, 0.2]);
  policy.renew();
  assert.equal(policy.decide(0.2).kind, "step");
});

Deno.test("at the start a time without vouchers is followed half an hour, forward and backward", () => {
  const policy = new StepPolicy(CONFIG);
  assert.equal(policy.decide(1799).kind, "step");
  assert.equal(policy.decide(-1799).kind, "step");
  for (const offset of [1801, 2000, 1e9, -1801, -86_000]) {
    const refused = policy.decide(offset);
    assert.ok(refused.kind === "panic");
    assert.match(refused.message, /beyond the startup-step-panic-threshold of 1800 s; no majority/);
    assert.match(refused.message, /startup-step-panic-threshold = \{ forward = "inf"/);
  }
});

Deno.test("a time that authenticated sources vouch for is followed any way", () => {
  const policy = new StepPolicy(CONFIG);
  assert.equal(policy.decide(1e9, true).kind, "step");
  assert.equal(policy.decide(-1e9, true).kind, "step");
});

Deno.test("a configured threshold holds with and without vouchers", () => {
  const startupStepPanicThreshold = { forward: undefined, backward: 10 };
  const policy = new StepPolicy({ ...CONFIG, startupStepPanicThreshold });
  assert.equal(policy.decide(1e9).kind, "step");
  assert.equal(policy.decide(-11, true).kind, "panic");
});

Deno.test("what undoes a step of others is no reason for panic; what goes on from there is", () => {
  const policy = new StepPolicy(CONFIG);
  policy.updated(0);
  policy.renew(1e6);
  policy.renew(1e6);
  assert.equal(policy.decide(-2e6 + 1).kind, "step");
  assert.equal(policy.decide(-2e6 + 1801).kind, "panic");
  assert.equal(policy.decide(-1).kind, "step", "a person may have set it right");
  policy.updated(-2e6);
  assert.equal(policy.decide(-2e6).kind, "panic");
});

Deno.test("what undoes a step of others by slewing stays explained until it is done", () => {
  for (const sign of [1, -1]) {
    const policy = new StepPolicy({ ...CONFIG, stepLimit: 0 });
    policy.updated(0);
    policy.renew(-3600 * sign);
    for (const left of [3600, 3599, 2700, 1800, 1001]) {
      assert.equal(policy.decide(left * sign).kind, "slew", `${left}`);
      policy.updated(0, left * sign);
      assert.equal(policy.decide((left + 1001) * sign).kind, "panic", "no more than that");
    }
    policy.updated(0, -5 * sign);
    assert.equal(policy.decide(1001 * sign).kind, "panic");
  }
});

Deno.test("a step of others before the first update explains nothing", () => {
  const policy = new StepPolicy(CONFIG);
  policy.renew(-1e6);
  assert.equal(policy.decide(1e6).kind, "panic");
});

Deno.test("an absurd offset is refused: 1000 s later than at the start", () => {
  const policy = new StepPolicy(CONFIG);
  policy.updated(0);
  const late = policy.decide(1001);
  assert.equal(late.kind, "panic");
  assert.ok(
    late.kind === "panic" && late.message.includes("single-step-panic-threshold of 1000 s"),
  );
});

Deno.test("a panic of a running daemon says whether a start is enough", () => {
  const policy = new StepPolicy(CONFIG);
  policy.updated(0);
  const advice = (offset: number, isVouchedFor: boolean, of = policy) => {
    const decision = of.decide(offset, isVouchedFor);
    return decision.kind === "panic"
      ? /the sources are right, (start|set)/.exec(decision.message)?.[1]
      : "";
  };
  assert.equal(advice(86_400, true), "start");
  assert.equal(advice(86_400, false), "set");
  assert.equal(advice(1500, false), "start");
  const startupStepPanicThreshold = { forward: 3600, backward: 0 };
  const strict = new StepPolicy({ ...CONFIG, startupStepPanicThreshold });
  strict.updated(0);
  assert.equal(advice(7200, true, strict), "set");
  assert.equal(advice(-2000, true, strict), "set");
});

Deno.test("the sum of steps has a limit of its own", () => {
  const policy = new StepPolicy({ ...CONFIG, accumulatedStepPanicThreshold: 5, stepLimit: -1 });
  assert.equal(policy.decide(4).kind, "step");
  policy.updated(4);
  const beyond = policy.decide(-2);
  assert.ok(beyond.kind === "panic" && beyond.message.includes("raise the threshold"));
});

Deno.test("a slew removes the offset exactly, within the limit", () => {
  const plan = planSlew(0.1, {
    now: 50,
    pollInterval: 64,
    uncertainty: 1e-5,
    maxSlew: 0.05,
    isStarting: true,
  });
  assert.deepEqual(plan, { slew: 0.05, until: 52 });
  const small = planSlew(-80e-6, {
    now: 50,
    pollInterval: 64,
    uncertainty: 1e-5,
    maxSlew: 0.05,
    isStarting: true,
  });
  assert.deepEqual(small, { slew: -2.5e-6, until: 82 });
  assert.deepEqual(
    planSlew(0, { now: 50, pollInterval: 64, uncertainty: 1e-5, maxSlew: 0.05, isStarting: true }),
    {
      slew: 0,
      until: Infinity,
    },
  );
});

Deno.test("the poll interval follows what the clock does between samples", () => {
  const calm: PollEvidence = {
    current: 6,
    limits: { min: 4, max: 10 },
    samplesAtCurrent: 8,
    samples: 64,
    sampleError: 1e-3,
    frequencyVariance: (1e-7) ** 2,
    wanderVariance: (1e-9) ** 2,
    isOutlier: false,
    wrong: false,
  };
  assert.equal(choosePoll(calm), 7);
  assert.equal(choosePoll({ ...calm, samplesAtCurrent: 1 }), 6);
  assert.equal(choosePoll({ ...calm, samples: 39 }), 6, "the path is not known yet");
  assert.equal(choosePoll({ ...calm, isOutlier: true }), 6);
  assert.equal(choosePoll({ ...calm, current: 10 }), 10);
  assert.equal(choosePoll({ ...calm, wrong: true, frequencyVariance: 1 }), 7);
  assert.equal(choosePoll({ ...calm, current: 12 }), 10);
  // 3.2 ms in 64 s, 1.6 ms in 32 s, 0.8 ms in 16 s
  assert.equal(choosePoll({ ...calm, frequencyVariance: (50e-6) ** 2 }), 4);
  assert.equal(choosePoll({ ...calm, frequencyVariance: (10e-6) ** 2 }), 5);
  assert.equal(choosePoll({ ...calm, frequencyVariance: (50e-6) ** 2, current: 4 }), 4);
  // 6.4 us in 64 s and 12.8 us in 128 s
  assert.equal(choosePoll({ ...calm, sampleError: 1e-5 }), 5);
  assert.equal(choosePoll({ ...calm, sampleError: 2e-5 }), 6);
  assert.equal(choosePoll({ ...calm, sampleError: 6e-5 }), 7);
});
