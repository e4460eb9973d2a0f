import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { covers, intersect, type Interval, majorityRange } from "./intersection.ts";

function interval(low: number, high: number, change: Partial<Interval> = {}): Interval {
  return { low, high, isTrusted: false, ...change };
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
  fc.tuple(fc.integer({ min: -20, max: 20 }), fc.nat(15), fc.boolean())
    .map(([low, width, isTrusted]) => interval(low, low + width, { isTrusted })),
  { minLength: 1, maxLength: 10 },
);

Deno.test("the sweep finds what the plain way finds", () => {
  fc.assert(
    fc.property(intervals, fc.option(fc.integer({ min: -30, max: 30 })), (claims, estimate) => {
      const found = intersect(claims, estimate ?? undefined) ?? assert.fail("some claims overlap");
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
  // one that the estimate has followed drifts away: it touches the second, which the third covers
  const parting = [interval(-19.9, 0.1), interval(0, 20), interval(1, 21)];
  assert.deepEqual(intersect(parting, 0), { low: 1, high: 20, depth: 2, trustedDepth: 0 });
  // two honest ones overlap a little; a liar covers the rest of one by claiming next to nothing
  const covered = [interval(-19, 1), interval(0, 20), interval(1.5, 500)];
  assert.deepEqual(intersect(covered, 0), { low: 0, high: 1, depth: 2, trustedDepth: 0 });
});

Deno.test("of equally deep places the one nearest to the joint estimate is taken", () => {
  // the first drifts away; the third agrees with it as well as with the second
  const claims = [interval(4, 5), interval(-1, 1), interval(-8, 8)];
  assert.equal(intersect(claims, 0)?.high, 1);
  assert.equal(intersect(claims, 2.4)?.high, 1);
  assert.equal(intersect(claims, 2.6)?.high, 5);
  assert.equal(intersect(claims)?.high, 5, "without an estimate the narrower claims are");
});

Deno.test("the truth is where more than half of the claims allow it, trusted ones alone if any", () => {
  const claims = [interval(-3, 1), interval(0, 2), interval(-100, 100), interval(7, 8)];
  assert.deepEqual(majorityRange(claims), { low: 0, high: 1 });
  assert.deepEqual(majorityRange(claims.slice(0, 3)), { low: -3, high: 2 });
  assert.deepEqual(majorityRange([...claims, interval(4, 5, { isTrusted: true })]), {
    low: 4,
    high: 5,
  });
  assert.deepEqual(majorityRange([interval(0, 1), interval(1, 2)]), { low: 1, high: 1 });
  assert.equal(majorityRange([interval(0, 1), interval(2, 3)]), undefined);
  assert.equal(majorityRange([]), undefined);
});

Deno.test("property: an offset is in the range of the majority when more than half of all allow it", () => {
  const claim = fc.record({ low: fc.integer({ min: -9, max: 9 }), width: fc.nat(9) });
  fc.assert(fc.property(fc.array(claim, { minLength: 1, maxLength: 9 }), (drawn) => {
    const claims = drawn.map(({ low, width }) => interval(low, low + width));
    const allowed = claims.flatMap(({ low, high }) => [low, high])
      .filter((at) =>
        2 * claims.filter((each) => each.low <= at && at <= each.high).length > claims.length
      );
    const range = majorityRange(claims);
    assert.equal(range?.low, allowed.length > 0 ? Math.min(...allowed) : undefined);
    assert.equal(range?.high, allowed.length > 0 ? Math.max(...allowed) : undefined);
  }));
});
