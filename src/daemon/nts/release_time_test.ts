import { equal, match } from "node:assert/strict";
import { eraError, RELEASE_TIME } from "./release_time.ts";

Deno.test("a clock from which no answer leads back to the time is told of", () => {
  const year = 365.25 * 86_400;
  for (const clock of [0, RELEASE_TIME, RELEASE_TIME + 68 * year]) {
    equal(eraError(clock), undefined);
  }
  match(
    eraError(Date.UTC(2099, 11, 31) / 1000) ?? "",
    /^The clock shows 2099-12-31, .*date --set/,
  );
});
