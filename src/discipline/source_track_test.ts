import assert from "node:assert/strict";
import { SAMPLES_MAX, SourceTrack } from "./source_track.ts";

Deno.test("the newest samples are kept, the delays of all are learned from", () => {
  const track = new SourceTrack(1e-7);
  for (let i = 0; i < 100; i++) track.add(i, i / 1000, 0.02);
  assert.equal(SAMPLES_MAX, 64);
  assert.equal(track.samples.length, 64);
  const route = track.delays.route;
  assert.deepEqual(track.samples[0], {
    time: 36,
    offset: 0.036,
    delay: 0.02,
    route,
    beside: undefined,
  });
  assert.equal(track.samples[63]?.time, 99);
  assert.equal(track.delays.route?.count, 100);
});

Deno.test("an observation is an interval around the offset, as wide as the packet waited", () => {
  const track = new SourceTrack(1e-7);
  for (let i = 0; i < 1000; i++) track.delays.add(0.02);
  const narrow = track.observation(track.add(0, 0.5, 0.02)).interval;
  const wide = track.observation(track.add(16, 0.5, 0.022)).interval;
  assert.ok(Math.abs((narrow.low + narrow.high) / 2 - 0.5) < 1e-12);
  assert.ok(narrow.high - narrow.low < 1e-5);
  // 2 ms in queues, all on the one way or all on the other
  assert.ok(Math.abs(wide.low - 0.499) < 1e-5 && Math.abs(wide.high - 0.501) < 1e-5);
});

Deno.test("the bias is expected to be a part of the delay and of what the server admits", () => {
  const track = new SourceTrack(1e-7);
  assert.equal(track.biasVariance, 0);
  for (let i = 0; i < 1000; i++) track.delays.add(0.02);
  track.add(0, 0, 0.02);
  track.setBias(0);
  // 5 percent of 20 ms
  assert.ok(Math.abs(Math.sqrt(track.biasVariance) - 1e-3) < 1e-5);
  track.setBias(0.004);
  // and a quarter of 4 ms, the squares added
  assert.ok(Math.abs(Math.sqrt(track.biasVariance) - Math.SQRT2 * 1e-3) < 1e-5);
  track.add(16, 0, 0.02);
  track.setBias(4);
  assert.ok(track.biasVariance < 1e-5, "more is not taken over later");
  track.setBias(0.0025);
  assert.ok(track.biasVariance > 1.9e-6, "nor a little less");
  track.setBias(0.001);
  assert.ok(Math.abs(track.biasVariance - 1.0625e-6) < 2e-8, "but much less is");
});

Deno.test("a step moves the samples along; a change from outside voids them, but not the path", () => {
  const track = new SourceTrack(1e-7);
  for (let i = 0; i < 50; i++) track.add(i, 0.25, 0.02);
  const { floor } = track.delays;
  track.shift(-0.25);
  assert.ok(track.samples.every(({ offset }) => offset === 0));
  track.forget();
  assert.deepEqual(track.samples, []);
  assert.equal(track.delays.floor, floor);
});
