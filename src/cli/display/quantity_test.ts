import { deepEqual, equal } from "node:assert/strict";
import {
  formatAge,
  formatCount,
  formatOffset,
  formatPpm,
  formatSeconds,
  formatSpan,
} from "./quantity.ts";

Deno.test("seconds are written with the unit that fits", () => {
  const cases: readonly (readonly [number | null, string])[] = [
    [0, "0 ns"],
    [1e-9, "1 ns"],
    [999e-9, "999 ns"],
    [999.6e-9, "1.00 us"],
    [12.345e-6, "12.3 us"],
    [999.4e-6, "999 us"],
    [999.6e-6, "1.00 ms"],
    [9.996e-3, "10.0 ms"],
    [-0.128, "-128 ms"],
    [1.5, "1.50 s"],
    [3600, "3600 s"],
    [864_000, "10.0 d"],
    [2 ** 127, "> 99999 d"],
    [-(2 ** 127), "< -99999 d"],
    [null, "-"],
  ];
  deepEqual(cases.map(([value]) => formatSeconds(value)), cases.map(([, text]) => text));
  equal(formatOffset(1e-6), "+1.00 us");
  equal(formatOffset(-1e-6), "-1.00 us");
  equal(formatOffset(0), "0 ns");
  equal(formatOffset(null), "-");
});

Deno.test("ages, spans, counts and frequencies", () => {
  deepEqual([0, 16, 99.4, 1024, 7200, 200_000].map(formatAge), [
    "0s",
    "16s",
    "99s",
    "17m",
    "2h",
    "2d",
  ]);
  deepEqual([5, 65, 7384, 100_000, 200_000].map(formatSpan), [
    "5 s",
    "1 min 5 s",
    "2 h 3 min",
    "1 day 3 h",
    "2 days 7 h",
  ]);
  deepEqual([0, 999, 1000, 1234567].map(formatCount), ["0", "999", "1,000", "1,234,567"]);
  deepEqual([1.5, -0.0004, null].map(formatPpm), ["+1.500 ppm", "-0.000 ppm", "-"]);
});
