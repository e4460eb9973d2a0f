/**
 * The bounded run of the fuzzer, and the proof that it would find something.
 *
 * @module
 */
import assert from "node:assert/strict";
import { describe, fuzz } from "./fuzzer.ts";
import { TARGETS } from "./targets.ts";

const SEED = 20260101;

/** Costly targets have fewer rounds. */
const ROUNDS: Readonly<Record<string, number>> = {
  config: 500,
  server: 1500,
  engine: 50,
  source: 1000,
  "nts-answer": 2000,
};

for (const target of TARGETS) {
  Deno.test(`nothing makes ${target.name} fail (seed ${SEED})`, () => {
    const finding = fuzz(target, { rounds: ROUNDS[target.name] ?? 10_000, seed: SEED });
    if (finding !== undefined) assert.fail(describe(finding));
  });
}

Deno.test("a fault would be found, and can be repeated", () => {
  const target = {
    name: "fault",
    seeds: ["00".repeat(48)],
    run(octets: Uint8Array) {
      if (octets[3] === 0xff && octets.length > 40) throw new Error("found");
    },
  };
  const first = fuzz(target, { rounds: 20_000, seed: 1 });
  assert.ok(first !== undefined);
  assert.equal(first.input.slice(6, 8), "ff");
  assert.deepEqual(fuzz(target, { rounds: 20_000, seed: 1 })?.input, first.input);
  assert.match(describe(first), /deno task fuzz --target fault --input [0-9a-f]+$/);
});
