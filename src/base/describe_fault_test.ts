import assert from "node:assert/strict";
import { AssertionFailure } from "./assert.ts";
import { describeFault } from "./describe_fault.ts";

Deno.test("our own assertions speak, others are named by their class, and all tell where", () => {
  assert.match(
    describeFault(new AssertionFailure("Two is two")),
    /^AssertionFailure: Two is two at .*describe_fault_test\.ts/,
  );
  const foreign = describeFault(new TypeError("Invalid URL: 'http://\u202eevil'"));
  assert.match(foreign, /^TypeError at .*describe_fault_test\.ts/);
  assert.equal(foreign.includes("evil"), false);
});

Deno.test("a message that looks like a stack is not taken for one", () => {
  const told = describeFault(new Error("x\n    at evil (/etc/passwd:1:1)\n    at evil"));
  assert.equal(told.includes("evil"), false);
  assert.equal(
    describeFault(new AssertionFailure("\u009b31m\nx")).startsWith("AssertionFailure: ?31m?x"),
    true,
  );
});

Deno.test("whatever is thrown is told in one short line", () => {
  const bare = new Error("y");
  delete bare.stack;
  assert.equal(describeFault(bare), "Error");
  for (const thrown of [undefined, null, 1, "text", {}, new Error("z".repeat(10_000))]) {
    const told = describeFault(thrown);
    assert.ok(told.length > 0 && told.length <= 400 && !told.includes("\n"), told);
  }
});
