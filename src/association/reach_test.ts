import assert from "node:assert/strict";
import { AssertionFailure } from "../base/assert.ts";
import { REACH_LENGTH, ReachRegister } from "./reach.ts";

Deno.test("the register holds the last eight requests, the newest in bit 0 (RFC 5905 section 9.2)", () => {
  const reach = new ReachRegister();
  for (const isAnswered of [true, false, true, true]) {
    reach.noteRequest();
    if (isAnswered) reach.noteResponse();
  }
  assert.equal(reach.bits, 0b1011);
  for (let i = 0; i < REACH_LENGTH - 1; i++) reach.noteRequest();
  assert.equal(reach.bits, 0b1000_0000);
  assert.equal(reach.isReachable, true);
  reach.noteRequest();
  assert.deepEqual([reach.bits, reach.isReachable], [0, false]);
});

Deno.test("unanswered requests are counted beyond the length of the register", () => {
  const reach = new ReachRegister();
  for (let i = 0; i < 20; i++) reach.noteRequest();
  assert.equal(reach.unanswered, 20);
  reach.noteResponse();
  assert.equal(reach.unanswered, 0);
  assert.throws(() => reach.noteResponse(), AssertionFailure);
});
