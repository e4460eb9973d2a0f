import assert from "node:assert/strict";
import { PauseDetector } from "./pause_detector.ts";

/** Looks at a hardware clock that leads by so many seconds, one look after the other. */
function leads(...seconds: readonly number[]): readonly number[] {
  const detector = new PauseDetector();
  return seconds.map((lead, i) =>
    Math.round(detector.look({ hardware: 1000 + 2 * i + lead, realtime: 1000 + 2 * i }))
  );
}

Deno.test("a pause is noticed once, whatever the time zone of the hardware clock", () => {
  assert.deepEqual(leads(0, 60, 60), [0, 60, 0]);
  assert.deepEqual(leads(0.4, 3600.4), [0, 3600]);
  assert.deepEqual(leads(7200, 7200 + 86_400), [0, 86_400]);
  assert.deepEqual(leads(-40, 3560), [0, 3600]);
});

Deno.test("rounding, drift and a lead that shrinks are no pause", () => {
  assert.deepEqual(leads(0, 0.99, -0.99, 1.5), [0, 0, 0, 0]);
  assert.deepEqual(leads(60, 0), [0, 0]);
  assert.deepEqual(leads(0, -3600), [0, 0]);
});

Deno.test("a step of the real-time clock is no pause", () => {
  const detector = new PauseDetector();
  detector.look({ hardware: 1000, realtime: 1000 });
  detector.clockStepped();
  assert.equal(detector.look({ hardware: 1002, realtime: 500 }), 0);
  assert.equal(detector.look({ hardware: 1064, realtime: 502 }), 60);
});
