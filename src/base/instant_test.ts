import assert from "node:assert/strict";
import { type Instant, monotonicOf } from "./instant.ts";
import { ntpTimestamp } from "./ntp_timestamp.ts";

Deno.test("a timestamp of the real-time clock is found on the boot-time clock, over the wrap of an era", () => {
  const now: Instant = { monotonic: 1000, realtime: ntpTimestamp(0x0000_0001_0000_0000n) };
  assert.equal(monotonicOf(now.realtime, now), 1000);
  assert.equal(monotonicOf(ntpTimestamp(0xffff_ffff_4000_0000n), now), 998.25);
  assert.equal(monotonicOf(ntpTimestamp(0x0000_0001_8000_0000n), now), 1000.5);
});
