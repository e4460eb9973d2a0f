import assert from "node:assert/strict";
import { err, ok, type Result } from "./result.ts";

Deno.test("a result is a value or a reason, told apart by one field", () => {
  const half = (n: number): Result<number, "odd"> => n % 2 === 0 ? ok(n / 2) : err("odd");
  assert.deepEqual(half(4), { ok: true, value: 2 });
  assert.deepEqual(half(3), { ok: false, error: "odd" });
});
