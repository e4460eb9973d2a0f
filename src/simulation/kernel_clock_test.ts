import assert from "node:assert/strict";
import {
  difference,
  fromUnixNanoseconds,
  toUnixNanoseconds,
  type UnixNanoseconds,
} from "../base/ntp_timestamp.ts";
import { Draws } from "./draws.ts";
import { type ClockModel, SimulatedKernelClock } from "./kernel_clock.ts";

/** 2026-03-01T00:00:00Z. */
const START = 1_772_323_200_000_000_000n;
const PERFECT: ClockModel = { frequency: 0, wander: 0, offset: 0, precision: 0 };

function clock(
  model: Partial<ClockModel> = {},
  start: UnixNanoseconds = START,
): SimulatedKernelClock {
  return new SimulatedKernelClock({ ...PERFECT, ...model }, { start, draws: Draws.stream(1, "c") });
}

function nanoseconds(from: SimulatedKernelClock): bigint {
  return toUnixNanoseconds(from.realtime, START) - START;
}

Deno.test("readings are good to a nanosecond over a month", () => {
  const kernel = clock({ offset: 0.1, frequency: 50 });
  for (const time of [0, 0.123456789, 1.5, 200_000, 2_592_000.25]) {
    kernel.advance(time);
    const scaled = BigInt(Math.round(time * 1e9));
    const expected = 100_000_000n + scaled + scaled * 50n / 1_000_000n;
    const miss = nanoseconds(kernel) - expected;
    assert.ok(miss >= -1n && miss <= 1n, `At ${time} s the reading is ${miss} ns off`);
  }
});

Deno.test("the rate is the oscillator times (tick / 10000 + frequency)", () => {
  const kernel = clock({ frequency: 100 });
  kernel.setTickAndFrequency(10_500, -300);
  kernel.advance(1000);
  // 1.0001 * (1.05 - 0.0003) * 1000 - 1000 = 49.80497
  assert.ok(Math.abs(kernel.error - 49.80497) < 1e-9, String(kernel.error));
  assert.ok(Math.abs(kernel.rateError - 0.04980497) < 1e-12);
  assert.ok(Math.abs(kernel.monotonic - 1000 - 1000 - 49.80497) < 1e-9);
});

Deno.test("frequency is clamped to 500 ppm, the tick to 9000..11000, both quantised", () => {
  const kernel = clock();
  assert.equal(kernel.setTickAndFrequency(20_000, 1000), 100_500);
  assert.equal(kernel.setTickAndFrequency(1000, -1000), -100_500);
  assert.equal(kernel.setFrequency(12.3456789), Math.round(12.3456789 * 65_536) / 65_536);
  assert.equal(kernel.status.tick, 10_000);
  const fast = kernel.setFrequency(83_333.25);
  assert.equal(kernel.status.tick, 10_833);
  assert.equal(fast, 83_333.25);
  assert.equal(kernel.setFrequency(-500), -500);
  assert.equal(kernel.status.tick, 10_000);
  assert.equal(kernel.setFrequency(1e6), 100_500);
});

Deno.test("a step moves the real-time clock alone", () => {
  const kernel = clock();
  kernel.advance(10);
  kernel.step(-0.25);
  assert.equal(kernel.error, -0.25);
  assert.equal(kernel.monotonic, 1010);
});

Deno.test("maxerror grows 500 us a second and ends in STA_UNSYNC at 16 s", () => {
  const kernel = clock();
  assert.equal(kernel.status.synchronized, false);
  kernel.setStatus({ synchronized: true, maxError: 0.01, leap: "none" });
  kernel.advance(1000);
  assert.ok(Math.abs(kernel.status.maxError - 0.51) < 1e-12);
  kernel.advance(31_979);
  assert.equal(kernel.status.synchronized, true);
  kernel.advance(31_981);
  assert.equal(kernel.status.synchronized, false);
  assert.equal(kernel.status.maxError, 16);
});

Deno.test("sleep puts both clocks forward, with the error of the battery-backed clock", () => {
  const kernel = clock({ frequency: 50 });
  kernel.advance(100);
  kernel.sleep(28_900, 0.3);
  // Only 100 s were counted by the oscillator.
  assert.ok(Math.abs(kernel.error - 0.305) < 1e-12);
  assert.ok(Math.abs(kernel.monotonic - 29_900.305) < 1e-9);
});

Deno.test("an inserted second repeats the last one of the day, once", () => {
  const kernel = clock({ offset: 0.001 });
  kernel.advance(86_000);
  kernel.setStatus({ synchronized: true, maxError: 0.01, leap: "insert" });
  kernel.advance(86_399.9985);
  assert.ok(nanoseconds(kernel) < 86_400_000_000_000n);
  kernel.advance(86_399.9995);
  assert.ok(Math.abs(kernel.error - 0.001 + 1) < 1e-12);
  assert.equal(kernel.monotonic, 87_399.9995);
  kernel.advance(86_402);
  assert.ok(Math.abs(kernel.error - 0.001 + 1) < 1e-12);
  kernel.setStatus({ synchronized: true, maxError: 0.01, leap: "none" });
  kernel.advance(200_000);
  assert.ok(Math.abs(kernel.error - 0.001 + 1) < 1e-12);
});

Deno.test("a deleted second leaves out 23:59:59", () => {
  const kernel = clock();
  kernel.setStatus({ synchronized: true, maxError: 0.01, leap: "delete" });
  kernel.advance(86_398.999);
  assert.equal(kernel.error, 0);
  kernel.advance(86_399.001);
  assert.equal(kernel.error, 1);
  kernel.advance(86_400.5);
  assert.equal(kernel.error, 1);
});

Deno.test("readings are rounded down to the precision", () => {
  const kernel = clock({ precision: 1e-6 });
  kernel.advance(1.234567891);
  assert.equal(nanoseconds(kernel) / 1000n, 1_234_567n);
  assert.ok(nanoseconds(kernel) % 1000n <= 1n);
});

Deno.test("the era changes without a seam", () => {
  // 2036-02-07T06:28:16Z is the first second of era 1.
  const start = 2_085_978_496_000_000_000n - 10_000_000_000n;
  const kernel = clock({}, start);
  kernel.advance(5);
  const before = kernel.realtime;
  kernel.advance(15);
  assert.equal(kernel.realtime >> 32n, 5n);
  assert.equal(difference(kernel.realtime, before), 10);
  assert.equal(kernel.realtime, fromUnixNanoseconds(start + 15_000_000_000n));
});
