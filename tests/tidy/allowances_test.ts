import assert from "node:assert/strict";
import { beyondAllowance, lowered } from "./allowances.ts";

const OFFENCES = [
  { path: "a.ts", line: 3, what: "is bad" },
  { path: "a.ts", line: 9, what: "is worse" },
  { path: "b.ts", line: 1, what: "is bad" },
];

Deno.test("offences within the allowance are no fault", () => {
  assert.deepEqual(beyondAllowance(OFFENCES, { "a.ts": 2, "b.ts": 1 }), []);
  assert.deepEqual(beyondAllowance([], {}), []);
});

Deno.test("an offence too many is told with all of its file, by file and line", () => {
  const faults = ["a.ts:3: is bad", "a.ts:9: is worse"];
  assert.deepEqual(beyondAllowance(OFFENCES, { "a.ts": 1, "b.ts": 1 }), faults);
  assert.deepEqual(beyondAllowance(OFFENCES, { "a.ts": 2 }), ["b.ts:1: is bad"]);
});

Deno.test("an allowance that is larger than needed is a fault, and is lowered", () => {
  const allowed = { "a.ts": 3, "b.ts": 1, "gone.ts": 1 };
  const faults = beyondAllowance(OFFENCES, allowed);
  assert.equal(faults.length, 2);
  assert.match(faults[0] ?? "", /^a\.ts: 3 are allowed and 2 are there/);
  assert.match(faults[1] ?? "", /^gone\.ts: 1 are allowed and 0 are there/);
  assert.deepEqual(lowered(OFFENCES, allowed), { "a.ts": 2, "b.ts": 1 });
});

Deno.test("lowering never raises an allowance", () => {
  assert.deepEqual(lowered(OFFENCES, { "a.ts": 1 }), { "a.ts": 1 });
});
