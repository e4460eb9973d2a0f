import assert from "node:assert/strict";
import { civilDate, formatUtc } from "./utc.ts";

Deno.test("moments are written as RFC 3339", () => {
  assert.equal(formatUtc(0n), "1970-01-01T00:00:00.000000Z");
  assert.equal(formatUtc(951_782_399_999_999_999n), "2000-02-28T23:59:59.999999Z");
  assert.equal(formatUtc(2_085_978_496_000_000_000n), "2036-02-07T06:28:16.000000Z");
  assert.equal(formatUtc(-1_000n), "1969-12-31T23:59:59.999999Z");
});

Deno.test("dates agree with the host's calendar for 400 years", () => {
  for (let day = -30_000; day < 116_000; day += 17) {
    const date = new Date(day * 86_400_000);
    assert.deepEqual(civilDate(day), {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
    });
  }
});
