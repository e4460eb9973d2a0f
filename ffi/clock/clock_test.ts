import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { fromUnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import {
  boottimeNanoseconds,
  boottimeNow,
  measureClockPrecision,
  monotonicNanoseconds,
  readRealtimeNtp,
  realtimeNow,
} from "./clock.ts";
import { ClockWatch } from "./clock_watch.ts";

Deno.test("real time agrees with the runtime's clock", () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  const now = realtimeNow();
  const after = BigInt(Date.now() + 1) * 1_000_000n;
  assert.ok(before <= now && now <= after, `${before} ${now} ${after}`);
});

Deno.test("the NTP form lies between two readings", () => {
  const words = new Uint32Array(4);
  for (let i = 0; i < 1000; i++) {
    const before = fromUnixNanoseconds(realtimeNow());
    readRealtimeNtp(words, 2);
    const after = fromUnixNanoseconds(realtimeNow());
    const read = (BigInt(words[2] ?? 0) << 32n) | BigInt(words[3] ?? 0);
    // The fraction is made in doubles: right to one unit of 2^-32 s.
    assert.ok(before - 1n <= read && read <= after + 1n);
  }
  assert.equal(words[0], 0);
});

Deno.test("the boot-time clock goes on and is never behind the monotonic clock", () => {
  const monotonic = monotonicNanoseconds();
  const boot = boottimeNanoseconds();
  const seconds = boottimeNow();
  assert.ok(boot >= monotonic);
  const after = boottimeNanoseconds();
  assert.ok(seconds >= Number(boot) / 1e9 - 1e-6);
  assert.ok(seconds <= Number(after) / 1e9 + 1e-6);
});

Deno.test("the precision is that of a clock with nanoseconds", () => {
  const precision = measureClockPrecision();
  assert.ok(Number.isInteger(precision));
  assert.ok(precision <= -15 && precision >= -30, String(precision));
});

Deno.test("a clock that nobody sets was not set", () => {
  const opened = ClockWatch.open();
  assert.ok(opened.ok);
  const watch = opened.value;
  assert.ok(watch.fd >= 0);
  assert.equal(watch.wasSet(), false);
  watch.close();
  watch.close();
  assert.equal(watch.fd, -1);
});
