import assert from "node:assert/strict";
import { LoopGuard } from "./loop_guard.ts";

Deno.test("an engine that lets no time pass is stopped, one that is busy all the time is not", () => {
  const guard = new LoopGuard();
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 15_000; i++) guard.count(second + i / 15_000);
  }
  assert.throws(() => {
    for (let i = 0; i < 20_001; i++) guard.count(10);
  }, /within second 10 of the simulation/);
});
