import "../../tests/support/libc_opened.ts";
import { deepEqual } from "node:assert/strict";
import { err } from "../base/result.ts";
import type { ClockConfig } from "../config/config.ts";
import { claimClock } from "./clock_permission.ts";

const CONFIG: ClockConfig = {
  adjust: "auto",
  driftFile: undefined,
  maxFrequency: 500,
  maxSlew: 1000,
  maxClockError: 1,
  leapSecondsFile: undefined,
};

/** What becomes of a wish without the permission, in a word. */
function outcome(adjust: ClockConfig["adjust"], noAdjust: boolean, once: boolean): string {
  const claimed = claimClock({ ...CONFIG, adjust }, {
    noAdjust,
    once,
    takeOver: () => err("None"),
  });
  return claimed.ok ? claimed.value.level : "refused";
}

Deno.test("a clock that may not be set is a warning, refused where it was demanded, and fine where it is not wanted", () => {
  deepEqual(outcome("auto", false, false), "warning");
  deepEqual(outcome("auto", false, true), "refused");
  deepEqual(outcome(true, false, false), "refused");
  deepEqual(outcome(true, false, true), "refused");
  for (const once of [false, true]) {
    for (const adjust of [true, "auto", false] as const) {
      deepEqual(outcome(adjust, true, once), "info");
    }
    deepEqual(outcome(false, false, once), "info");
  }
});
