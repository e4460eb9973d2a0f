import assert from "node:assert/strict";
import { leapByMajority } from "./leap_vote.ts";

Deno.test("a leap second needs more than half of the votes", () => {
  assert.equal(leapByMajority(["insert", "insert", "none"]), "insert");
  assert.equal(leapByMajority(["delete", "delete", "insert"]), "delete");
  assert.equal(leapByMajority(["insert", "none"]), "none");
  assert.equal(leapByMajority(["insert", "delete", "none"]), "none");
  assert.equal(leapByMajority(["none"]), "none");
  assert.equal(leapByMajority([]), "unknown");
});
