import assert from "node:assert/strict";
import { ReasonCounter } from "./reason_counter.ts";

Deno.test("reasons are counted apart and together", () => {
  const counter = new ReasonCounter<"stale" | "short" | "bogus">();
  assert.deepEqual([counter.total(), counter.total("stale")], [0, 0]);
  assert.equal(counter.add("short"), 1);
  assert.equal(counter.add("stale"), 1);
  assert.equal(counter.add("stale", 3), 4);
  assert.deepEqual([counter.total(), counter.total("stale"), counter.total("bogus")], [5, 4, 0]);
});

Deno.test("a snapshot has what occurred, in the order of the first times, and stands still", () => {
  const counter = new ReasonCounter<"stale" | "short" | "bogus">();
  counter.add("short");
  counter.add("bogus");
  const snapshot = counter.snapshot();
  counter.add("bogus");
  assert.equal(JSON.stringify(snapshot), '{"short":1,"bogus":1}');
});
