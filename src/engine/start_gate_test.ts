import assert from "node:assert/strict";
import { StartGate } from "./start_gate.ts";

const answered = { samples: 2, unanswered: 0 };
const silent = { samples: 0, unanswered: 3 };
const waiting = { samples: 0, unanswered: 1 };
const half = { samples: 1, unanswered: 0 };

Deno.test("nothing is decided before every source has had its chance", () => {
  const gate = new StartGate(100);
  assert.equal(gate.check([answered, waiting], { wanted: 2, now: 101 }), false);
  assert.equal(gate.check([answered, half], { wanted: 2, now: 102 }), false);
  assert.equal(gate.check([answered, silent], { wanted: 2, now: 103 }), true);
  assert.equal(gate.check([waiting], { wanted: 2, now: 104 }), true, "it stays open");
});

Deno.test("a source whose name is still looked up is waited for, but not for ever", () => {
  const gate = new StartGate(100);
  assert.equal(gate.check([answered], { wanted: 2, now: 110 }), false);
  assert.equal(gate.check([answered], { wanted: 2, now: 116 }), true);
});

Deno.test("without any answer there is nothing to decide, however long it takes", () => {
  const gate = new StartGate(100);
  assert.equal(gate.check([silent, silent], { wanted: 2, now: 1000 }), false);
  gate.close(2000);
  assert.equal(gate.isOpen, false);
});
