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

/** Sends requests, and tells how many losses were unusual: those that are followed by a retry. */
function unusualLosses(register: ReachRegister, answered: readonly boolean[]): number {
  let count = 0;
  for (const isAnswered of answered) {
    register.noteRequest();
    if (isAnswered) register.noteResponse();
    else if (register.isReachable && register.isLossUnusual) count++;
  }
  return count;
}

function everyNth(n: number, count: number): readonly boolean[] {
  return Array.from({ length: count }, (_, i) => i % n !== 0);
}

Deno.test("the first losses of a path are unusual, and rare ones stay so", () => {
  const register = new ReachRegister();
  assert.equal(unusualLosses(register, [true, false, true, true, false, true]), 2);
  assert.equal(unusualLosses(register, everyNth(12, 240)), 20);
});

Deno.test("where every other response is lost, a loss is nothing unusual any more", () => {
  const register = new ReachRegister();
  unusualLosses(register, everyNth(2, 40));
  assert.equal(unusualLosses(register, everyNth(2, 40)), 0);
});

Deno.test("on a path that loses much a longer silence is unusual all the same", () => {
  const register = new ReachRegister();
  unusualLosses(register, everyNth(2, 40));
  const silence = Array.from({ length: 8 }, () => false);
  assert.ok(unusualLosses(register, silence) >= 3);
});

Deno.test("a path that loses nothing any more is soon known to", () => {
  const register = new ReachRegister();
  unusualLosses(register, everyNth(2, 40));
  unusualLosses(register, Array.from({ length: 30 }, () => true));
  assert.equal(unusualLosses(register, [false, true]), 1);
});

Deno.test("a server that was gone for eight requests tells nothing of the path", () => {
  const register = new ReachRegister();
  unusualLosses(register, [true, ...Array.from({ length: 20 }, () => false), true]);
  assert.equal(unusualLosses(register, [false, true]), 1);
});
