import assert from "node:assert/strict";
import { addCounts, readJunit, summary } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="2" errors="0" time="0.015">
    <testsuite name="./a_test.ts" tests="5" disabled="1" errors="0" failures="2">
        <testcase name="ok one" classname="./a_test.ts" time="0.001" line="1" col="6">
        </testcase>
        <testcase name="needs &lt;peer&gt;" classname="./a_test.ts" time="0.000" line="2" col="6">
            <skipped/>
        </testcase>
        <testcase name="steps" classname="./a_test.ts" time="0.006" line="3" col="6">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="steps &gt; s1" classname="./a_test.ts" time="0.000" line="3" col="43"/>
        <testcase name="steps &gt; s2" classname="./a_test.ts" time="0.002" line="3" col="73">
            <failure message="Uncaught Error: &lt;skipped/&gt;">Error</failure>
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("a report is counted", () => {
  const counts = readJunit(REPORT);
  assert.deepEqual(counts, { passed: 2, failed: 2, skipped: ["./a_test.ts: needs <peer>"] });
  assert.equal(summary(counts), "2 passed, 2 failed, 1 skipped");
});

Deno.test("no report counts as nothing, and nothing adds nothing", () => {
  const none = readJunit("");
  assert.deepEqual(none, { passed: 0, failed: 0, skipped: [] });
  assert.equal(
    summary(addCounts(none, { passed: 3, failed: 0, skipped: [] })),
    "3 passed, 0 failed",
  );
});
