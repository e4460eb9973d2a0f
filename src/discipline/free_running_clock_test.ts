import assert from "node:assert/strict";
import { FreeRunningClock } from "./free_running_clock.ts";

Deno.test("a clock that is made faster gains on the free-running one by its rate", () => {
  const clock = new FreeRunningClock(100, 0);
  assert.equal(clock.correctionAt(150), 0);
  clock.setRate(200, 0.25);
  assert.equal(clock.correctionAt(200), 0);
  // 10 seconds of the fast clock are 8 of the free-running one
  assert.equal(clock.correctionAt(210), 2);
  assert.equal(clock.at(210), 208);
});

Deno.test("corrections of the past are remembered through changes of rate", () => {
  const clock = new FreeRunningClock(0, 0.25);
  clock.setRate(10, 0);
  clock.setRate(20, 0.25);
  assert.equal(clock.correctionAt(5), 1);
  assert.equal(clock.correctionAt(10), 2);
  assert.equal(clock.correctionAt(15), 2);
  assert.equal(clock.correctionAt(25), 3);
});

Deno.test("many changes of rate are forgotten one by one, the sum is not", () => {
  const clock = new FreeRunningClock(0, 0);
  for (let second = 1; second <= 1000; second++) clock.setRate(second, second % 2 ? 0.25 : 0);
  assert.ok(Math.abs(clock.correctionAt(1000) - 100) < 1e-9);
});
