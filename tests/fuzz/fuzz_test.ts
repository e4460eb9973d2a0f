/**
 * The bounded run of the fuzzer, and the proof that it would find something.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { describe, fuzz } from "./fuzzer.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

const SEED = 20260101;

for (const target of TARGETS) {
  Deno.test(`nothing makes ${target.name} fail (seed ${SEED})`, async () => {
    const { finding } = await fuzz(target, { executions: target.budget, seed: SEED });
    if (finding !== undefined) assert.fail(describe(finding));
  });
}

Deno.test("a fault would be found, and can be repeated", async () => {
  const target: FuzzTarget = {
    name: "fault",
    oracle: "",
    budget: 1,
    seeds: ["00".repeat(48)],
    generate: () => new Uint8Array(60),
    run(octets) {
      if (octets[3] === 0xff && octets.length > 40) throw new Error("found");
    },
  };
  const { finding } = await fuzz(target, { executions: 20_000, seed: 1 });
  assert.ok(finding !== undefined);
  assert.equal(finding.input.slice(6, 8), "ff");
  const again = await fuzz(target, { executions: 20_000, seed: 1 });
  assert.deepEqual(again.finding?.input, finding.input);
  assert.match(describe(finding), /deno task fuzz fault --input [0-9a-f]+$/);
});

Deno.test("each target has a name of its own", () => {
  assert.equal(new Set(TARGETS.map(({ name }) => name)).size, TARGETS.length);
});
