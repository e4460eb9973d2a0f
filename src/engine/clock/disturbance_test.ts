import assert from "node:assert/strict";
import { addSeconds, ntpTimestamp } from "../../base/ntp_timestamp.ts";
import { DisturbanceDetector } from "./disturbance.ts";

const START = ntpTimestamp(0xe000_0000n << 32n);
const at = (monotonic: number, realtime: number) => ({
  monotonic,
  realtime: addSeconds(START, realtime),
});

Deno.test("clocks that advance alike are not disturbed, however long it takes", () => {
  const detector = new DisturbanceDetector(1e-9);
  assert.equal(detector.check(at(10, 10)), 0);
  assert.equal(detector.check(at(11, 11.0001)), 0);
  assert.equal(detector.check(at(100_000, 100_000.0002)), 0);
});

Deno.test("a step is told with its sign, once", () => {
  const detector = new DisturbanceDetector(1e-9);
  detector.check(at(10, 10));
  assert.ok(Math.abs(detector.check(at(11, 3611)) - 3600) < 1e-6);
  assert.equal(detector.check(at(12, 3612)), 0);
  assert.ok(Math.abs(detector.check(at(13, 3612.5)) + 0.5) < 1e-6);
});

Deno.test("a step that we made ourselves is no disturbance", () => {
  const detector = new DisturbanceDetector(1e-9);
  detector.check(at(10, 10));
  detector.clockStepped();
  assert.equal(detector.check(at(10, 1010)), 0);
  assert.equal(detector.check(at(11, 1011)), 0);
});

Deno.test("a clock that goes in coarse steps is not disturbed by itself, and still by others", () => {
  const detector = new DisturbanceDetector(0.1);
  for (let t = 10; t < 20; t += 0.013) {
    assert.equal(detector.check(at(t, Math.floor(t * 10) / 10)), 0);
  }
  assert.ok(detector.check(at(20, 21)) > 0.5);
});
