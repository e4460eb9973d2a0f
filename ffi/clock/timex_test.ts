import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { realtimeNow } from "./clock.ts";
import { STA_PLL } from "../headers/time.ts";
import { hasCapability } from "../process/privileges.ts";
import {
  adjustKernelClock,
  FREQUENCY_MAX_PPM,
  readKernelClock,
  splitFrequency,
  stepKernelClock,
} from "./timex.ts";
import type { KernelClock } from "./timex.ts";

function read(): KernelClock {
  const clock = readKernelClock();
  assert.ok(clock.ok);
  return clock.value;
}

Deno.test("reading needs no privilege and gives the time of the call", () => {
  const before = realtimeNow();
  const clock = read();
  const after = realtimeNow();
  // Until somebody sets STA_NANO the kernel gives microseconds.
  assert.ok(before - 1000n <= clock.time && clock.time <= after);
  assert.ok(Math.abs(clock.frequencyPpm) <= FREQUENCY_MAX_PPM);
  assert.equal(clock.synchronized, (clock.status & 0x40) === 0);
  assert.ok(clock.maxErrorSeconds >= 0 && clock.maxErrorSeconds <= 16.5);
});

Deno.test("writing the same state back changes nothing, or is refused with advice", () => {
  const before = read();
  const change = {
    frequencyPpm: before.frequencyPpm,
    maxErrorSeconds: before.maxErrorSeconds,
    estimatedErrorSeconds: before.estimatedErrorSeconds,
  };
  const changed = adjustKernelClock(change);
  if (!hasCapability("CAP_SYS_TIME")) {
    assert.ok(!changed.ok);
    assert.equal(changed.error.name, "EPERM");
    assert.match(changed.error.hint ?? "", /CAP_SYS_TIME/);
    return;
  }
  assert.ok(changed.ok);
  const after = read();
  assert.equal(after.frequencyPpm, before.frequencyPpm);
  assert.equal(after.synchronized, before.synchronized);
  assert.equal(after.estimatedErrorSeconds, before.estimatedErrorSeconds);
});

Deno.test("a step by nothing is accepted and leaves the clock where it is", () => {
  const before = read();
  // A step makes the kernel forget that it is synchronised, so this is for a machine whose clock
  // nobody keeps.
  if (!hasCapability("CAP_SYS_TIME") || before.synchronized || (before.status & STA_PLL) !== 0) {
    console.warn("SKIPPED: the clock is kept by somebody, or CAP_SYS_TIME is missing");
    return;
  }
  const start = realtimeNow();
  const stepped = stepKernelClock(0n);
  assert.ok(stepped.ok);
  assert.ok(realtimeNow() - start < 1_000_000_000n);
  assert.ok(stepped.value.time - start < 1_000_000_000n);
  assert.equal(read().frequencyPpm, before.frequencyPpm);
  assert.equal(read().synchronized, false);
});

Deno.test("small frequencies leave the tick alone, large ones go into it", () => {
  assert.deepEqual(splitFrequency(0), { tick: 10000, ppm: 0 });
  assert.deepEqual(splitFrequency(-500), { tick: 10000, ppm: -500 });
  assert.deepEqual(splitFrequency(510), { tick: 10005, ppm: 10 });
  assert.deepEqual(splitFrequency(-100_000), { tick: 9000, ppm: 0 });
  fc.assert(
    fc.property(fc.double({ min: -100_000, max: 100_000, noNaN: true }), (frequency) => {
      const { tick, ppm } = splitFrequency(frequency);
      assert.ok(tick >= 9000 && tick <= 11000);
      assert.ok(Math.abs(ppm) <= 500);
      assert.ok(Math.abs((tick - 10000) * 100 + ppm - frequency) < 1e-9);
    }),
  );
});
