import { deepEqual, equal } from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { formatDuration, parseDuration } from "./duration.ts";

Deno.test("durations are read with all units", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["1s", 1],
    ["250ms", 0.25],
    ["128 ms", 0.128],
    ["4w", 2_419_200],
    ["1d", 86_400],
    ["1h30m", 5400],
    ["2 min", 120],
    ["10us", 10e-6],
    ["10µs", 10e-6],
    ["5ns", 5e-9],
    ["1.5", 1.5],
    ["0", 0],
    ["", undefined],
    ["s", undefined],
    ["-1s", undefined],
    ["1 fortnight", undefined],
    ["1e3", undefined],
    ["inf", undefined],
    ["1toString", undefined],
  ];
  for (const [text, seconds] of cases) {
    const read = parseDuration(text);
    if (seconds === undefined) equal(read, undefined, text);
    else equal(Math.abs((read ?? NaN) - seconds) <= 1e-12 * seconds, true, text);
  }
});

Deno.test("durations are written in the largest whole unit", () => {
  deepEqual([0, 0.128, 1, 90, 86_400, 2_419_200, 1e-9, 1.5].map(formatDuration), [
    "0s",
    "128ms",
    "1s",
    "90s",
    "1d",
    "4w",
    "1ns",
    "1500ms",
  ]);
});

Deno.test("property: what is written is read again", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (ms) => {
    const read = parseDuration(formatDuration(ms / 1000)) ?? NaN;
    equal(Math.abs(read - ms / 1000) <= 1e-5 * (ms / 1000), true);
  }));
});
