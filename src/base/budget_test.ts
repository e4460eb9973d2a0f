import assert from "node:assert/strict";
import { Budget } from "./budget.ts";

Deno.test("a burst is answered, a flood is not, and a pause fills the budget again", () => {
  const budget = new Budget(400);
  const take = (now: number) => {
    const isLeft = budget.isLeft(now);
    if (isLeft) budget.take();
    return isLeft;
  };
  const answered = (from: number, count: number, step: number) =>
    Array.from({ length: count }, (_, i) => take(from + i * step)).filter(Boolean).length;
  assert.equal(answered(100, 300, 0), 300);
  assert.ok(answered(100, 20_000, 1e-4) < 1000, "two seconds of 10,000 requests each");
  assert.equal(answered(200, 300, 0), 300);
  assert.equal(answered(300, 1000, 0.01), 1000, "a hundred each second");
  assert.ok(take(50), "a clock that goes back leaves it as it is");
});
