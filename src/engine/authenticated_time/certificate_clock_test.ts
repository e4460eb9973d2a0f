import assert from "node:assert/strict";
import { fromUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { MonotonicSeconds, UnixSeconds } from "../../base/units.ts";
import { CertificateClock } from "./certificate_clock.ts";

const HOUR = 3600;

function instant(monotonic: MonotonicSeconds, unix: UnixSeconds) {
  return { monotonic, realtime: fromUnixNanoseconds(BigInt(unix) * 1_000_000_000n) };
}

Deno.test("before a time is vouched for, certificates are judged by the local clock", () => {
  const clock = new CertificateClock();
  assert.equal(clock.read(instant(5, 1_800_000_000)), 1_800_000_000);
  // A machine without a battery starts in 1970, one that runs for long is beyond 2036.
  assert.equal(clock.read(instant(5, 10)), 10);
  assert.equal(clock.read(instant(5, 2_500_000_000)), 2_500_000_000);
  assert.equal(clock.isStale(1e9), false);
});

Deno.test("a vouched time goes on by elapsed time, wherever the local clock is set", () => {
  const clock = new CertificateClock();
  clock.vouched(1_800_000_000, 100);
  assert.equal(clock.read(instant(100, 10)), 1_800_000_000);
  assert.equal(clock.read(instant(160, 4_000_000_000)), 1_800_000_060);
  clock.vouched(1_800_000_030, 160);
  assert.equal(clock.read(instant(161, 10)), 1_800_000_031);
});

Deno.test("a vouched time is stale after six hours, until it is vouched for again", () => {
  const clock = new CertificateClock();
  clock.vouched(1_800_000_000, 100);
  assert.equal(clock.isStale(100 + 6 * HOUR), false);
  assert.equal(clock.isStale(101 + 6 * HOUR), true);
  clock.vouched(1_800_000_000 + 6 * HOUR, 100 + 6 * HOUR);
  assert.equal(clock.isStale(101 + 6 * HOUR), false);
});
