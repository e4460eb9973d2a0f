import "../../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { AssertionFailure } from "../../base/assert.ts";
import { internalErrorCount, meetInternalError } from "./internal_errors.ts";
import { configureLog } from "../../system/log.ts";

Deno.test("an error of one task is counted and told, with little noise, and all else goes on", () => {
  const lines: string[] = [];
  configureLog({ level: "info", journal: true, write: (line) => lines.push(line) });
  const before = internalErrorCount();
  const fail = (text: string) => new TypeError(text);
  for (let i = 0; i < 1000; i++) assert.equal(meetInternalError(fail(`x\u202e${i}`)), true);
  assert.equal(meetInternalError("odd"), true);
  assert.equal(internalErrorCount() - before, 1001);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /TypeError: x\\u202e0 \(at .*internal_errors_test\.ts/);
});

Deno.test("a failed assertion is not gone on with", () => {
  const before = internalErrorCount();
  assert.equal(meetInternalError(new AssertionFailure("Wanted one, found two")), false);
  assert.equal(internalErrorCount(), before);
});
