import assert from "node:assert/strict";
import { type SourceSlope, wandersOf } from "./server_wander.ts";

const PPM = 1e-6;

function line(ppm: number, deviation: number, hasVote = true, admitted = 1): SourceSlope {
  return {
    slope: ppm * PPM,
    variance: (deviation * PPM) ** 2,
    serverVariance: admitted,
    span: 1000,
    hasVote,
  };
}

/** The slope that a wander stands for, in parts per million. */
function seen(lines: readonly SourceSlope[]): number[] {
  return wandersOf(lines).map((wander) => Math.sqrt(wander / 1000) / PPM);
}

Deno.test("one source alone shows nothing of its server's wander", () => {
  assert.deepEqual(seen([line(5, 0.001)]), [0]);
  assert.deepEqual(seen([]), []);
});

Deno.test("of two that part both share the blame", () => {
  const [first = 0, second = 0] = seen([line(0.5, 0.001), line(-0.5, 0.001)]);
  assert.equal(first, second);
  assert.ok(first > 0.4 && first < 1, `${first}`);
});

Deno.test("the one that differs from the others wanders, whichever the joint estimate followed", () => {
  for (const led of [0, 0.4, -3]) {
    const found = seen([line(0.4 - led, 0.001), line(-led, 0.005), line(0.001 - led, 0.01)]);
    assert.ok((found[0] ?? 0) > 0.2, `${found}`);
    assert.deepEqual(found.slice(1), [0, 0]);
  }
});

Deno.test("the most precise does not decide alone what the middle is", () => {
  const found = seen([line(0.4, 1e-6), line(0, 0.003), line(0, 0.003), line(0, 0.004)]);
  assert.ok((found[0] ?? 0) > 0.2, `${found}`);
  assert.deepEqual(found.slice(1), [0, 0, 0]);
});

Deno.test("what noise explains is no wander", () => {
  assert.deepEqual(seen([line(0.1, 0.05), line(-0.1, 0.05), line(0.05, 0.1)]), [0, 0, 0]);
});

Deno.test("where all part, all wander alike", () => {
  const found = seen([line(0.3, 0.001), line(-0.2, 0.001), line(0.02, 0.001), line(-0.4, 0.001)]);
  assert.ok(Math.min(...found) > 0.1, `${found}`);
  assert.ok(Math.max(...found) < 3 * Math.min(...found), `${found}`);
});

Deno.test("those without a vote say nothing of those that have one, however many they are", () => {
  const found = seen([
    line(0, 0.005),
    line(0.001, 0.005),
    ...[1, 2, 3, 4, 5].map(() => line(0.7, 1e-4, false)),
  ]);
  assert.deepEqual(found.slice(0, 2), [0, 0]);
  assert.ok(Math.min(...found.slice(2)) > 0.3, `${found}`);
  const [only, other = 0] = seen([line(0, 0.005), line(0.7, 1e-4, false)]);
  assert.equal(only, 0);
  assert.ok(other > 0.3);
});

Deno.test("servers that admit much larger errors are no witnesses, however many they are", () => {
  const found = seen([line(0, 0.001), ...[1, 2, 3].map(() => line(50, 0.001, true, 100))]);
  assert.equal(found[0], 0);
  assert.ok(seen([line(0, 0.001), line(50, 0.001, true, 100)])[1] ?? 0 > 10);
});
