import assert from "node:assert/strict";
import { BOUND_HOLD as HOLD, VouchedBound } from "./vouched_bound.ts";

const START = 1_800_000_000, STEP = 600, HOUR = 3600;
const BOUND_HOLD: number = HOLD;

/** Tells a time every ten minutes for as long as `duration`; returns the bounds that come. */
function vouch(
  bound: VouchedBound,
  options: { readonly from: number; readonly duration: number; readonly ahead?: number },
): readonly number[] {
  const { from, duration, ahead = 0 } = options;
  const found: number[] = [];
  for (let at = from; at <= from + duration; at += STEP) {
    const raised = bound.vouched(START + at + ahead, at);
    if (raised !== undefined) found.push(raised - START);
  }
  return found;
}

Deno.test("a time that has gone on for hours is passed as far as those hours back, once an hour", () => {
  const found = vouch(new VouchedBound(), { from: 0, duration: BOUND_HOLD + 2 * HOUR });
  assert.deepEqual(found, [0, HOUR, 2 * HOUR]);
});

Deno.test("a wrong moment raises nothing, and the hours begin anew after it", () => {
  const bound = new VouchedBound();
  assert.deepEqual(vouch(bound, { from: 0, duration: BOUND_HOLD - STEP }), []);
  assert.equal(bound.vouched(START + 1e9, BOUND_HOLD), undefined);
  const back = BOUND_HOLD + STEP;
  assert.deepEqual(vouch(bound, { from: back, duration: BOUND_HOLD - STEP }), []);
  assert.deepEqual(vouch(bound, { from: back + BOUND_HOLD, duration: 0 }), [back]);
});

Deno.test("two moments with nothing between them are no hours", () => {
  const bound = new VouchedBound();
  assert.equal(bound.vouched(START, 0), undefined);
  assert.equal(bound.vouched(START + 10 * BOUND_HOLD, 10 * BOUND_HOLD), undefined);
});

Deno.test("a time that is no number is none that goes on", () => {
  const bound = new VouchedBound();
  vouch(bound, { from: 0, duration: BOUND_HOLD - STEP });
  assert.equal(bound.vouched(NaN, BOUND_HOLD), undefined);
  assert.deepEqual(vouch(bound, { from: BOUND_HOLD + STEP, duration: 0 }), []);
});
