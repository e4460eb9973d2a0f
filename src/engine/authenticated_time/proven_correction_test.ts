import assert from "node:assert/strict";
import { ProvenCorrection } from "./proven_correction.ts";

type Mode = Parameters<ProvenCorrection["look"]>[1];

function looks(authentication: Mode, vouched: readonly boolean[]): readonly boolean[] {
  const correction = new ProvenCorrection();
  return vouched.map((isVouchedFor) => correction.look(isVouchedFor, authentication));
}

Deno.test("the first time that is vouched for corrects what was followed for want of it, later ones do not", () => {
  assert.deepEqual(looks("mix", [false, true, true, false, true]), [
    false,
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("where plain sources may set the clock, each return of a vouched time corrects", () => {
  assert.deepEqual(looks("prefer", [false, true, false, true]), [false, true, false, true]);
});

Deno.test("nothing was followed before the first time: there is nothing to correct", () => {
  assert.deepEqual(looks("mix", [true]), [false]);
});
