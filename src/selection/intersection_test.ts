import assert from "node:assert/strict";
import fc from "fast-check";
import { covers, intersect, type Interval } from "./intersection.ts";

function interval(low: number, high: number, change: Partial<Interval> = {}): Interval {
  return { low, high, isTrusted: false, isPrevious: false, ...change };
}

/** The plain way: at every end, count who covers it. */
function deepest(intervals: readonly Interval[]) {
  let best = { depth: 0, trustedDepth: 0 };
  for (const at of intervals.flatMap(({ low, high }) => [low, high])) {
    const here = intervals.filter(({ low, high }) => low <= at && at <= high);
    const trustedDepth = here.filter(({ isTrusted }) => isTrusted).length;
    const isBetter = trustedDepth > best.trustedDepth ||
      (trustedDepth === best.trustedDepth && here.length > best.depth);
    if (isBetter) best = { depth: here.length, trustedDepth };
  }
  return best;
}

/** The plain way: the smallest and largest point around `at` that the same claims cover. */
function extent(intervals: readonly Interval[], at: number) {
  const here = intervals.filter(({ low, high }) => low <= at && at <= high);
  return {
    low: Math.max(...here.map(({ low }) => low)),
    high: Math.min(...here.map(({ high }) => high)),
  };
}

Deno.test("the overlap of most claims is found", () => {
  // RFC 5905 section 11.2.1 in the small: three agree, one does not
  const found = intersect([
    interval(-1, 3),
    interval(0, 2),
    interval(1, 4),
    interval(10, 11),
  ]);
  assert.deepEqual(found, { low: 1, high: 2, depth: 3, trustedDepth: 0 });
  assert.equal(intersect([]), undefined);
  assert.deepEqual(intersect([interval(5, 5)]), { low: 5, high: 5, depth: 1, trustedDepth: 0 });
});

Deno.test("claims that touch overlap", () => {
  assert.deepEqual(intersect([interval(0, 1), interval(1, 2)]), {
    low: 1,
    high: 1,
    depth: 2,
    trustedDepth: 0,
  });
});

Deno.test("one trusted claim outweighs any number of others", () => {
  const found = intersect([
    interval(0, 1),
    interval(0, 1),
    interval(0, 1),
    interval(5, 6, { isTrusted: true }),
  ]);
  assert.deepEqual(found, { low: 5, high: 6, depth: 1, trustedDepth: 1 });
});

const intervals = fc.array(
  fc.tuple(fc.integer({ min: -20, max: 20 }), fc.nat(15), fc.boolean(), fc.boolean())
    .map(([low, width, isTrusted, isPrevious]) =>
      interval(low, low + width, { isTrusted, isPrevious })
    ),
  { minLength: 1, maxLength: 10 },
);

Deno.test("the sweep finds what the plain way finds", () => {
  fc.assert(
    fc.property(intervals, (claims) => {
      const found = intersect(claims) ?? assert.fail("some claims overlap");
      const { depth, trustedDepth } = deepest(claims);
      assert.deepEqual([found.depth, found.trustedDepth], [depth, trustedDepth]);
      assert.deepEqual(extent(claims, found.low), { low: found.low, high: found.high });
      assert.equal(claims.filter((claim) => covers(claim, found)).length, depth);
      // a claim covers the whole place or none of it
      for (const { low, high } of claims) {
        const touches = low <= found.high && high >= found.low;
        assert.equal(touches, covers({ low, high }, found));
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("claims that only just touch do not win a tie, and a wide claim makes no place firm", () => {
  const claim = (low: number, high: number, isPrevious = false) => ({
    ...{ low, high },
    isTrusted: false,
    isPrevious,
  });
  // one that was believed drifts away: it touches the second, which the third covers wholly
  const parting = [claim(-19.9, 0.1, true), claim(0, 20), claim(1, 21)];
  assert.deepEqual(intersect(parting), { low: 1, high: 20, depth: 2, trustedDepth: 0 });
  // two honest ones overlap a little; a liar covers the rest of one by claiming next to nothing
  const covered = [claim(-19, 1, true), claim(0, 20), claim(1.5, 500)];
  assert.deepEqual(intersect(covered), { low: 0, high: 1, depth: 2, trustedDepth: 0 });
});
