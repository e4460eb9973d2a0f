import { match } from "node:assert/strict";
import { AssertionFailure } from "../base/assert.ts";
import { describeBug } from "./bug.ts";

Deno.test("a bug is told with its place", () => {
  const text = describeBug(new AssertionFailure("Wanted one, found two"));
  match(text, /^ntpsd: This is a bug in ntpsd, please report it with these lines:\n/);
  match(text, /AssertionFailure: Wanted one, found two\n +at .*bug_test\.ts/);
  match(describeBug("odd"), /lines:\nodd\n$/);
});
