import assert from "node:assert/strict";
import { fromUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import { isLeapStep, isLeapTurmoil, leapForKernel } from "./leap_second.ts";

const at = (text: string) => fromUnixNanoseconds(BigInt(Date.parse(text)) * 1_000_000n);

Deno.test("the kernel hears of a leap second on the last day of a month only", () => {
  assert.equal(leapForKernel("insert", at("2026-06-29T23:59:59Z")), "none");
  assert.equal(leapForKernel("insert", at("2026-06-30T00:00:00Z")), "insert");
  assert.equal(leapForKernel("delete", at("2026-12-31T23:59:58Z")), "delete");
  assert.equal(leapForKernel("insert", at("2027-01-01T00:00:00Z")), "none");
  assert.equal(leapForKernel("insert", at("2028-02-28T12:00:00Z")), "none");
  assert.equal(leapForKernel("insert", at("2028-02-29T12:00:00Z")), "insert");
  assert.equal(leapForKernel("unknown", at("2026-06-30T00:00:00Z")), "unknown");
});

Deno.test("the calendar goes on in the next era", () => {
  assert.equal(leapForKernel("insert", at("2036-06-30T10:00:00Z")), "insert");
  assert.equal(leapForKernel("insert", at("2036-07-01T10:00:00Z")), "none");
});

Deno.test("around an announced leap second measurements are ignored, at other times not", () => {
  assert.equal(isLeapTurmoil("insert", at("2026-06-30T23:59:57Z")), true);
  assert.equal(isLeapTurmoil("insert", at("2026-07-01T00:00:03Z")), true);
  assert.equal(isLeapTurmoil("insert", at("2026-06-30T23:59:50Z")), false);
  assert.equal(isLeapTurmoil("insert", at("2026-06-29T23:59:57Z")), false);
  assert.equal(isLeapTurmoil("none", at("2026-06-30T23:59:57Z")), false);
});

Deno.test("a step of a second at midnight is the kernel's, any other is not", () => {
  const midnight = at("2026-07-01T00:00:00Z");
  const isLeap = (announced: LeapIndicator, gained: number, moment = midnight) =>
    isLeapStep(announced, { gained, at: moment });
  assert.equal(isLeap("insert", -1.0002), true);
  assert.equal(isLeap("insert", 1), false);
  assert.equal(isLeap("delete", 1), true);
  assert.equal(isLeap("none", -1), false);
  assert.equal(isLeap("insert", -1, at("2026-06-30T12:00:00Z")), false);
  assert.equal(isLeap("insert", -3), false);
});
