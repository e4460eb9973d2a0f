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
  const quick = model.interval(0, 0.0201);
  const slow = model.interval(0, 0.026);
  assert.ok(quick.high - quick.low < 2e-4);
  assert.ok(Math.abs(slow.high - slow.low - 0.006) < 2e-4);
});

Deno.test("a longer route is noticed within a few samples, and told as doubt about the bias", () => {
  const model = new DelayModel(1e-8);
  for (let i = 0; i < 200; i++) assert.equal(model.add(0.02 + wait(1e-3) + wait(1e-3)), 0);
  let doubt = 0;
  for (let i = 0; i < 12; i++) doubt += model.add(0.03 + wait(1e-3) + wait(1e-3));
  // a change of 10 ms may have gone into either direction: variance (10 ms)²/12
  assert.ok(doubt > 0.5 * 1e-4 / 12 && doubt < 2.5 * 1e-4 / 12, `doubt ${doubt}`);
  assert.ok(Math.abs(model.floor - 0.03) < 1e-3);
});

Deno.test("a shorter route is noticed at once, and its full extent by and by", () => {
  const model = new DelayModel(1e-8);
  for (let i = 0; i < 200; i++) model.add(0.03 + wait(1e-3) + wait(1e-3));
  const first = model.add(0.024);
  let doubt = first;
  for (let i = 0; i < 16; i++) doubt += model.add(0.02 + wait(1e-3) + wait(1e-3));
  assert.ok(first > 0);
  assert.ok(doubt > 0.6 * 1e-4 / 12 && doubt < 1.3 * 1e-4 / 12, `doubt ${doubt}`);
});

Deno.test("congestion that comes and goes is not taken for a route change", () => {
  const model = new DelayModel(1e-8);
  let doubt = 0;
  for (let i = 0; i < 300; i++) doubt += model.add(0.02 + wait(1e-4) + wait(1e-4));
  for (let i = 0; i < 100; i++) doubt += model.add(0.02 + wait(2e-3) + wait(2e-3));
  assert.ok(Math.sqrt(12 * doubt) < 2e-3, `taken for a shift of ${Math.sqrt(12 * doubt)} s`);
});

Deno.test("waits in one direction only lean the interval to that side", () => {
  const model = new DelayModel(1e-8);
  for (let i = 0; i < 400; i++) {
    const forward = wait(2e-3);
    model.add(0.02 + forward);
    model.learnSplit(0.02 + forward, forward / 2);
  }
  // all waits on the way to the server make the sample too large: the truth is near the low edge
  assert.ok(model.interval(0, 0.022).tilt > 1 / 2e-3);
  const fair = new DelayModel(1e-8);
  for (let i = 0; i < 400; i++) {
    const [there, back] = [wait(1e-3), wait(1e-3)];
    fair.add(0.02 + there + back);
    fair.learnSplit(0.02 + there + back, (there - back) / 2);
  }
  assert.ok(Math.abs(fair.interval(0, 0.022).tilt) < 0.3 / 1e-3);
});
