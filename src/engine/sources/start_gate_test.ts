import assert from "node:assert/strict";
import { type ServerProgress, StartGate, type StartProgress } from "./start_gate.ts";

const waiting: ServerProgress = {
  samples: 0,
  unanswered: 1,
  hasFailed: false,
  nextRequestAt: 104,
};
const answered = { ...waiting, samples: 2, unanswered: 0 };
const silent = { ...waiting, unanswered: 3 };
const half = { ...waiting, samples: 1, unanswered: 0 };

function progress(
  servers: readonly ServerProgress[],
  since: readonly number[] = [],
  canOutvote = false,
): StartProgress {
  return { servers, preparations: since.map((since) => ({ since, canOutvote })) };
}

Deno.test("nothing is decided before every source has had its chance", () => {
  const gate = new StartGate();
  assert.equal(gate.check(progress([answered, waiting]), 101), false);
  assert.equal(gate.check(progress([answered, half]), 102), false);
  assert.equal(gate.check(progress([answered, silent]), 103), true);
  assert.equal(gate.check(progress([waiting]), 104), true, "it stays open");
});

Deno.test("who cannot answer soon is not waited for", () => {
  const late = { ...half, nextRequestAt: 164 };
  const failed = { ...waiting, hasFailed: true };
  for (const other of [silent, failed, late]) {
    const gate = new StartGate();
    assert.equal(gate.check(progress([answered, other]), 101), true);
  }
  // the answer to a request may come, whenever the next one is
  const asked = { ...waiting, nextRequestAt: 164 };
  const gate = new StartGate();
  assert.equal(gate.check(progress([answered, asked]), 101), false);
  assert.equal(gate.check(progress([answered, asked]), 117), true);
});

Deno.test("a lookup or a key exchange is waited for, but not for long", () => {
  const gate = new StartGate();
  assert.equal(gate.nextCheckAt, Infinity);
  assert.equal(gate.check(progress([answered], [100.5, 101]), 102), false);
  assert.equal(gate.nextCheckAt, 109);
  assert.equal(gate.check(progress([answered], [101]), 108.9), false);
  assert.equal(gate.check(progress([answered], [101]), 109), true);
  assert.equal(gate.nextCheckAt, Infinity);
  gate.close();
  // one that began late ends with all patience
  assert.equal(gate.check(progress([answered], [212]), 200), false);
  assert.equal(gate.check(progress([answered], [212]), 213), false);
  assert.equal(gate.nextCheckAt, 216);
  assert.equal(gate.check(progress([answered], [212]), 216), true);
});

Deno.test("beside several that have answered a lookup is waited for a moment, unless it may outvote them", () => {
  const three = [answered, answered, answered];
  const gate = new StartGate();
  assert.equal(gate.check(progress([answered, answered, half], [100]), 102), false);
  assert.equal(gate.check(progress(three, [100], true), 102), false);
  assert.equal(gate.nextCheckAt, 108);
  assert.equal(gate.check(progress(three, [100, 100.5]), 102), false);
  assert.equal(gate.nextCheckAt, 102.5);
  assert.equal(gate.check(progress(three, [100, 100.5]), 102.5), true);
});

Deno.test("without any answer there is nothing to decide, however long it takes", () => {
  const gate = new StartGate();
  assert.equal(gate.check(progress([silent, silent]), 1000), false);
  assert.equal(gate.check(progress([], [100]), 1000), false);
  gate.close();
  assert.equal(gate.isOpen, false);
});
