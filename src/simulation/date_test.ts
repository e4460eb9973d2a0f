import assert from "node:assert/strict";
import { formatElapsed, parseDate } from "./date.ts";

Deno.test("dates are read as the standard library reads them", () => {
  const dates = ["1970-01-01T00:00:00Z", "2000-02-29T12:00:00Z", "2036-02-07T06:28:16Z"];
  for (const text of [...dates, "2100-03-01T00:00:01.5Z", "1899-12-31T23:59:59Z"]) {
    assert.equal(parseDate(text), BigInt(new Date(text).getTime()) * 1_000_000n, text);
  }
  assert.equal(parseDate("2026-01-01T00:00:00.000000001Z"), 1_767_225_600_000_000_001n);
});

Deno.test("what is no date is refused", () => {
  const texts = ["", "2026-01-01", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z"];
  for (const text of [...texts, "2026-01-01T24:00:00Z", "2026-01-01T00:00:00+01:00"]) {
    assert.equal(parseDate(text), undefined, text);
  }
});

Deno.test("moments of a run read as a clock", () => {
  assert.equal(formatElapsed(0), "00:00:00");
  assert.equal(formatElapsed(3723.9), "01:02:03");
  assert.equal(formatElapsed(2 * 86_400 + 61), "2d 00:01:01");
});
