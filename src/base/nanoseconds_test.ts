import assert from "node:assert/strict";
import { fromNanoseconds, toNanoseconds } from "./nanoseconds.ts";

Deno.test("seconds become the nearest whole nanosecond, with either sign", () => {
  assert.equal(toNanoseconds(1.5), 1_500_000_000n);
  assert.equal(toNanoseconds(-1.5), -1_500_000_000n);
  assert.equal(toNanoseconds(0.6e-9), 1n);
  assert.equal(toNanoseconds(-0), 0n);
});

Deno.test("nanoseconds come back as they were while a double can hold them", () => {
  for (const nanoseconds of [0n, 1n, -1n, 999_999_999n, 2n ** 21n * 1_000_000_000n - 1n]) {
    assert.equal(toNanoseconds(fromNanoseconds(nanoseconds)), nanoseconds);
  }
});
