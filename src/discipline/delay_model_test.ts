import assert from "node:assert/strict";
import { SeededRandom, uniform } from "../base/random.ts";
import { DelayModel } from "./delay_model.ts";

const random = new SeededRandom(7);
const wait = (mean: number) => -mean * Math.log(1 - uniform(random));

Deno.test("floor and mean wait are learned from exponential waits", () => {
  const model = new DelayModel(1e-8);
  for (let i = 0; i < 500; i++) model.add(0.02 + wait(1e-3) + wait(1e-3));
  assert.ok(Math.abs(model.floor - 0.02) < 1e-4, `floor ${model.floor}`);
  assert.ok(Math.abs(model.meanWait - 1e-3) < 2.5e-4, `wait ${model.meanWait}`);
});

Deno.test("a sample that met no queue gives a narrow interval, one that waited a wide one", () => {
  const model = new DelayModel(1e-8);
  for (let i = 0; i < 500; i++) model.add(0.02 + wait(1e-3) + wait(1e-3));
  const { route } = model;
  const quick = model.interval({ offset: 0, delay: 0.0201, route });
  const slow = model.interval({ offset: 0, delay: 0.026, route });
  assert.ok(quick.high - quick.low < 2e-4);
  assert.ok(Math.abs(slow.high - slow.low - 0.006) < 2e-4);
});

Deno.test("the floor is that of the route, the waits are kept over a change", () => {
  const model = new DelayModel(1e-8);
  for (let i = 0; i < 200; i++) model.add(0.02 + wait(1e-3) + wait(1e-3));
  const short = model.route;
  for (let i = 0; i < 60; i++) model.add(0.03 + wait(1e-3) + wait(1e-3));
  assert.notEqual(model.route, short);
  assert.ok(Math.abs(model.floor - 0.03) < 3e-4, `floor ${model.floor}`);
  assert.ok(Math.abs(model.floorOf(short) - 0.02) < 3e-4);
  assert.ok(Math.abs(model.meanWait - 1e-3) < 3e-4, `wait ${model.meanWait}`);
  model.add(0.0201);
  assert.equal(model.route, short);
  assert.ok(Math.abs(model.meanWait - 1e-3) < 3e-4, `wait ${model.meanWait}`);
});

Deno.test("waits in one direction only lean the interval to that side", () => {
  const model = new DelayModel(1e-8);
  for (let i = 0; i < 400; i++) {
    const forward = wait(2e-3);
    model.add(0.02 + forward);
    model.learnSplit(0.02 + forward, forward / 2);
  }
  // all waits on the way to the server make the sample too large: the truth is near the low edge
  assert.ok(model.interval({ offset: 0, delay: 0.022, route: model.route }).tilt > 1 / 2e-3);
  // a sample is as good as the way without queues, and the smallest delay is near the floor
  assert.ok(model.sampleError < 1e-4, `error ${model.sampleError}`);
  assert.ok(Math.abs(model.floor - 0.02) < 2e-5, `floor ${model.floor}`);
  const fair = new DelayModel(1e-8);
  for (let i = 0; i < 400; i++) {
    const [there, back] = [wait(1e-3), wait(1e-3)];
    fair.add(0.02 + there + back);
    fair.learnSplit(0.02 + there + back, (there - back) / 2);
  }
  assert.ok(
    Math.abs(fair.interval({ offset: 0, delay: 0.022, route: fair.route }).tilt) < 0.3 / 1e-3,
  );
});

Deno.test("queues that have changed side are forgotten as soon as noise explains samples better", () => {
  const model = new DelayModel(1e-8);
  for (let i = 0; i < 400; i++) {
    const forward = wait(2e-3);
    model.add(0.02 + forward);
    model.learnSplit(0.02 + forward, forward / 2);
  }
  const outcome = { miss: 4e-3, expectedVariance: 1e-10, queueEvidence: -3 };
  const forgotten = Array.from({ length: 20 }, () => model.learnNoise(outcome));
  assert.equal(forgotten.filter((each) => each).length, 1);
  assert.ok(forgotten.indexOf(true) < 4);
  assert.equal(model.interval({ offset: 0, delay: 0.022, route: model.route }).tilt, 0);
  assert.equal(model.forgetSplit(), false, "nothing is left to forget");
});
