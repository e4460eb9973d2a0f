import assert from "node:assert/strict";
import { plainCandidate } from "../../tests/support/plain_candidate.ts";
import { type Doubt, doubtsAfter } from "./doubt.ts";
import { select } from "./select.ts";

/** Selects one time after another; the offset of the third source is given for each. */
function doubtsOf(offsets: readonly number[], minimumAgreeing: number) {
  let doubts: ReadonlyMap<number, Doubt> = new Map();
  return offsets.map((offset) => {
    const candidates = [0, 0, offset].map((offset, i) =>
      plainCandidate(i + 1, { offset, uncertainty: 0.001, doubt: doubts.get(i + 1) })
    );
    const selection = select(candidates, { minimumAgreeing });
    doubts = doubtsAfter(selection, doubts);
    return [doubts.get(3), selection.survivors.length];
  });
}

Deno.test("a doubt stays while only chance speaks for the source, and ends when more does", () => {
  assert.deepEqual(doubtsOf([0.009, 0.011, 0.009, 0.006, 0.009, 0.021, 0.019, 0.001], 1), [
    [undefined, 3],
    ["outlier", 2],
    ["outlier", 2],
    [undefined, 3],
    [undefined, 3],
    ["falseticker", 2],
    ["falseticker", 2],
    [undefined, 3],
  ]);
});

Deno.test("a doubted source does not lend the vote that others lack, also when none is believed", () => {
  assert.deepEqual(doubtsOf([0.021, 0.019, 0.019, 0.001], 3), [
    ["falseticker", 0],
    ["falseticker", 0],
    ["falseticker", 0],
    [undefined, 3],
  ]);
  const before = new Map<number, Doubt>([[1, "falseticker"]]);
  const statuses = new Map([[1, { status: "candidate", reason: "No majority" } as const]]);
  assert.deepEqual(doubtsAfter({ statuses, systemPeer: undefined }, before), before);
  assert.equal(doubtsAfter({ statuses, systemPeer: 2 }, before).size, 0);
});
