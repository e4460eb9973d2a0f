import assert from "node:assert/strict";
import { apartness, contradicting } from "./contradiction.ts";

/** Sources of which a bias of one is expected, or of `sd`. */
const seen = (...biases: readonly (number | readonly [bias: number, sd: number])[]) =>
  biases.map((each) => {
    const [bias, sd] = typeof each === "number" ? [each, 1] : each;
    return { bias, variance: sd * sd };
  });
const biases = (found: readonly { readonly bias: number }[] | undefined) =>
  found?.map(({ bias }) => bias);

Deno.test("biases as they are expected contradict nothing", () => {
  assert.equal(contradicting([]), undefined);
  assert.equal(contradicting(seen(2.9)), undefined);
  assert.equal(contradicting(seen(2, -1, 0.5, 2.8)), undefined);
});

Deno.test("one alone, or most in one direction, contradict the filter", () => {
  assert.deepEqual(biases(contradicting(seen(-4))), [-4]);
  assert.deepEqual(biases(contradicting(seen(4, 5))), [4, 5]);
  assert.deepEqual(biases(contradicting(seen(12, 0, 12))), [12, 12]);
  assert.deepEqual(biases(contradicting(seen(-16, -4, 4))), [-4], "the middle one is followed");
});

Deno.test("halves that pull apart, and a minority, do not", () => {
  assert.equal(contradicting(seen(-4.2, 4.2)), undefined);
  assert.equal(contradicting(seen([-4.2, 0.9], 4.2)), undefined);
  assert.equal(contradicting(seen(-8, -8, 8, 8)), undefined);
  assert.equal(contradicting(seen(9, 0, 0.5)), undefined);
});

Deno.test("a near source, of which a small bias is expected, outweighs far ones", () => {
  assert.equal(contradicting(seen([0.01, 0.02], 3.5, 3.5)), undefined);
});

Deno.test("what stands apart from the middle by more than is expected, does so by that much", () => {
  const five = seen(0, 1, -1, 12, [12, 6]);
  assert.deepEqual(apartness(five, five), [0, 0, 0, 11 * 11, 0]);
  // those with a vote decide
  assert.deepEqual(apartness(seen(0, 12), seen(12)), [144, 0]);
  // most by number and most by weight: one of the two alone does not tell
  const near = seen([0, 0.1], [0, 0.1], 9, 9.5, 10);
  assert.deepEqual(apartness(near, near), [0, 0, 0, 0, 0]);
  const far = seen([0, 0.1], 9, 10);
  assert.deepEqual(apartness(far, far), [0, 0, 0]);
  // of two halves neither is right
  assert.deepEqual(apartness(seen(0, 12), seen(0, 12)), [36, 36]);
  assert.deepEqual(apartness(seen(0, 12), []), [0, 0]);
});
