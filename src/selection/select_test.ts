import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { plainCandidate } from "../../tests/support/plain_candidate.ts";
import type { Candidate } from "./candidate.ts";
import { select, type Selection, type SelectionOptions } from "./select.ts";

function source(id: number, offset: number, change: Partial<Candidate> = {}): Candidate {
  return plainCandidate(id, { offset, ...change });
}

function run(candidates: readonly Candidate[], options: Partial<SelectionOptions> = {}): Selection {
  return select(candidates, { minimumAgreeing: 1, ...options });
}

function statuses(selection: Selection): Readonly<Record<number, string>> {
  return Object.fromEntries([...selection.statuses].map(([id, { status }]) => [id, status]));
}

function near(found: Selection["possible"], { low, high }: { low: number; high: number }): void {
  assert.ok(Math.abs((found?.low ?? NaN) - low) < 1e-9, `${found?.low}`);
  assert.ok(Math.abs((found?.high ?? NaN) - high) < 1e-9, `${found?.high}`);
}

Deno.test("a lone falseticker among three is named with its numbers", () => {
  const selection = run([source(1, 0.001), source(2, -0.5), source(3, 0.002)]);
  assert.deepEqual(statuses(selection), { 1: "selected", 2: "falseticker", 3: "combined" });
  assert.deepEqual(selection.survivors, [1, 3]);
  assert.equal(selection.agreeing, 2);
  assert.equal(selection.reason, undefined);
  assert.ok(Math.abs((selection.interval?.low ?? 0) - -0.008) < 1e-12);
  assert.equal(
    selection.statuses.get(2)?.reason,
    "Offset -500.000 ms lies 492.000 ms outside the interval on which 2 of 3 sources agree, " +
      "with an error bound of 10.000 ms",
  );
  assert.equal(
    selection.statuses.get(3)?.reason,
    "Used together with s1: offset 2.000 ms, error bound 10.000 ms",
  );
});

Deno.test("two good and three false that do not agree are refused", () => {
  const selection = run([
    source(1, 0),
    source(2, 0.001),
    source(3, 0.5),
    source(4, -0.7),
    source(5, 3),
  ]);
  assert.equal(selection.systemPeer, undefined);
  assert.deepEqual(selection.survivors, []);
  assert.equal(selection.reason, "No majority: at most 2 of 5 sources agree");
  assert.match(selection.statuses.get(1)?.reason ?? "", /^No majority: at most 2 of 5 sources/);
});

Deno.test("three that lie in concert win over two, unless the two are trusted", () => {
  const lies = [source(3, 0.5), source(4, 0.501), source(5, 0.499)];
  const untrusted = run([source(1, 0), source(2, 0.001), ...lies]);
  assert.deepEqual(statuses(untrusted)[1], "falseticker");
  assert.equal(untrusted.agreeing, 3);
  const trusted = run([source(1, 0, { trust: true }), source(2, 0.001, { trust: true }), ...lies]);
  assert.deepEqual(trusted.survivors, [1, 2]);
  assert.equal(statuses(trusted)[3], "falseticker");
  const torn = run([source(1, 0, { trust: true }), source(2, 1, { trust: true }), ...lies]);
  assert.equal(torn.reason, "No majority: at most 1 of 2 trusted sources agree");
});

Deno.test("two that disagree are both not believed, one alone is", () => {
  assert.equal(
    run([source(1, 0), source(2, 0.5)]).reason,
    "No majority: at most 1 of 2 sources agree",
  );
  assert.equal(run([source(1, 0)]).systemPeer, 1);
});

Deno.test("too few that agree, or none that is required, are not believed", () => {
  const few = run([source(1, 0), source(2, 0)], { minimumAgreeing: 3 });
  assert.equal(few.reason, "Only 2 sources agree, minimum-agreeing-sources is 3");
  assert.deepEqual(statuses(few), { 1: "candidate", 2: "candidate" });
  const three = [
    source(1, 0),
    source(2, 0),
    source(3, 0, { require: true, isReachable: false, unanswered: 9 }),
  ];
  assert.equal(
    run(three).reason,
    "No required source is among the 2 that agree (s3); not used: s3: Did not answer the last 9 requests",
  );
  assert.equal(run([source(1, 0), source(2, 0, { require: true })]).reason, undefined);
});

Deno.test("what is not fit is named by its fault", () => {
  const cases: readonly (readonly [Partial<Candidate>, string, string])[] = [
    [{ isDenied: true, isReachable: false }, "kissed", "The server denies service"],
    [
      { isReachable: false, unanswered: 9 },
      "unreachable",
      "Did not answer the last 9 requests",
    ],
    [
      { isReachable: false, samples: 0, unanswered: 1 },
      "starting",
      "Waits for its first response",
    ],
    [{ samples: 0 }, "starting", "Has 0 of 1 samples"],
    [
      { isSynchronized: false, stratum: 16, samples: 0 },
      "unsynchronized",
      "The server says that it is not synchronised (stratum 16)",
    ],
    [
      { isSynchronized: false, stratum: 1, samples: 0 },
      "unsynchronized",
      "The server says that it is not synchronised (leap indicator 3)",
    ],
    [{ isLoop: true }, "loop", "The server is this daemon itself, or follows it"],
    [
      { stratum: 15 },
      "distant",
      "Its stratum 15 is the last: a clock that follows it counts as unsynchronised",
    ],
    [
      { rootDistance: 2 },
      "distant",
      "Error bound 2.000 s is above the limit of 1.500 s (max-distance)",
    ],
    [{ offset: NaN }, "distant", "Its offset, root distance or jitter is not a usable number"],
    [
      { rootDistance: NaN },
      "distant",
      "Its offset, root distance or jitter is not a usable number",
    ],
    [{ jitter: 1.5 }, "jittery", "Samples differ by 1.500 s, the limit is 1.000 s"],
    [{ noSelect: true }, "no-select", "Only measured, as configured"],
  ];
  for (const [change, status, reason] of cases) {
    const selection = run([source(1, 0), source(2, 0, change)], { distanceMax: 1.5 });
    assert.deepEqual(selection.statuses.get(2), { status, reason });
    assert.equal(selection.systemPeer, 1);
  }
  assert.equal(
    run([source(1, 0, { isLoop: true })]).reason,
    "No source is usable: s1: The server is this daemon itself, or follows it",
  );
  assert.equal(run([]).reason, "There is no source");
});

Deno.test("a server that is no better than our own local stratum is not followed", () => {
  const stratumLimit = 5;
  const run5 = (stratum: number) =>
    select([source(1, 0, { stratum })], { minimumAgreeing: 1, stratumLimit });
  assert.deepEqual(run5(5).statuses.get(1), {
    status: "distant",
    reason: "Its stratum 5 is no better than our local-stratum 5",
  });
  assert.equal(run5(5).systemPeer, undefined);
  assert.equal(run5(4).systemPeer, 1);
});

Deno.test("an outlier inside the majority is cast off when it stands apart", () => {
  const wide = { rootDistance: 0.02 };
  const selection = run([
    source(1, 0, { rootDistance: 0.004 }),
    source(2, 0.0002, { rootDistance: 0.004 }),
    source(3, -0.0003, { rootDistance: 0.004 }),
    source(4, 0.0001, { rootDistance: 0.004 }),
    source(5, 0.0039, { rootDistance: 0.0039 }),
  ]);
  assert.equal(statuses(selection)[5], "outlier");
  assert.match(
    selection.statuses.get(5)?.reason ?? "",
    /^Offset differs by 3\.9\d\d ms from 4 others that agree, where \d\.\d+ ms is expected$/,
  );
  // three alone are never reduced
  const three = run([source(1, 0, { rootDistance: 0.004 }), source(2, 0), source(5, 0.008, wide)]);
  assert.equal(three.survivors.length, 3);
});

Deno.test("where half stand apart from the other half none is cast off, where one more does the rest are", () => {
  const halves = (left: number, right: number) => {
    const offsets = [...Array(left).fill(-0.006), ...Array(right).fill(0.006)] as number[];
    const sources = offsets.map((offset, i) => source(i + 1, offset + 1e-5 * i));
    return run(sources).survivors.toSorted();
  };
  assert.deepEqual(halves(2, 2), [1, 2, 3, 4]);
  assert.deepEqual(halves(3, 3), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(halves(1, 3), [2, 3, 4]);
  assert.deepEqual(halves(2, 3), [3, 4, 5]);
  assert.deepEqual(halves(4, 2), [1, 2, 3, 4]);
  // trusted ones outweigh as many others
  const trusted = [0, 1e-5].map((offset, i) => source(i + 1, offset, { trust: true }));
  const others = [0.009, 0.00901].map((offset, i) =>
    source(i + 3, offset, { rootDistance: 0.004 })
  );
  assert.equal(run([...trusted, ...others]).survivors.length, 3);
});

Deno.test("a claim to be wrong by much is no reason to move the time beyond what most allow", () => {
  const narrow = { rootDistance: 0.004 }, wide = { rootDistance: 0.4 };
  const good = [source(1, 0, narrow), source(2, 0.001, narrow), source(3, -0.001, narrow)];
  const two = run([...good, source(4, 0.3, wide), source(5, 0.301, wide)]);
  assert.deepEqual(two.survivors.toSorted(), [1, 2, 3]);
  assert.equal(
    two.statuses.get(4)?.reason,
    "Offset 300.000 ms lies 295.000 ms outside the interval where most sources can be right",
  );
  assert.deepEqual(two.possible, { low: -0.005, high: 0.005 });
  assert.deepEqual(run([source(1, 0, narrow), source(4, 0.3, wide)]).survivors, [1]);
  // where none lies inside, none is more right than the others
  assert.equal(run([source(1, 0, narrow), source(2, 0.007, narrow)]).survivors.length, 2);
});

Deno.test("where claims only just overlap one that admits much is no match for a narrow one", () => {
  const narrow = source(1, 0, { rootDistance: 0.004 });
  const touching = run([narrow, source(4, 0.403, { rootDistance: 0.4 })]);
  assert.deepEqual(statuses(touching), { 1: "selected", 4: "outlier" });
  near(touching.possible, { low: 0, high: 0.004 });
  const alike = run([narrow, source(4, 0.008, { rootDistance: 0.006 })]);
  assert.deepEqual(alike.survivors.toSorted(), [1, 4]);
});

Deno.test("where claims barely touch the time may be that of any, and where they overlap it is in between", () => {
  const bound = { rootDistance: 0.005 };
  const possibleOf = (apart: number) =>
    run([source(1, 0, bound), source(2, apart, bound)]).possible;
  near(possibleOf(0.0095), { low: 0, high: 0.0095 });
  near(possibleOf(0.006), { low: 0.001, high: 0.005 });
});

Deno.test("a little more or less of an offset does not turn a source in use into an outlier and back", () => {
  // the narrow one is just inside of where both can be right, or just outside
  const statusOf = (offset: number) =>
    statuses(run([
      source(1, offset, { rootDistance: 0.005 }),
      source(2, 0.0095, { rootDistance: 0.0095 }),
    ]))[2];
  assert.equal(statusOf(-1e-5), statusOf(1e-5));
});

Deno.test("a source that was found false agrees only where it would without what chance may do", () => {
  const good = [source(1, 0), source(2, 0), source(3, 0)];
  const statusOf = (offset: number, doubt?: "falseticker" | "outlier") =>
    run([...good, source(4, offset, { uncertainty: 0.001, doubt })]).statuses.get(4);
  // its bound and theirs together are 20 ms, of which 3.5 ms are for chance
  assert.equal(statusOf(0.018)?.status, "outlier");
  assert.equal(statusOf(0.018, "outlier")?.status, "outlier");
  assert.equal(statusOf(0.018, "falseticker")?.status, "falseticker");
  assert.match(
    statusOf(0.018, "falseticker")?.reason ?? "",
    /chance may explain, but not what was/,
  );
  assert.equal(statusOf(0.016, "falseticker")?.status, "outlier");
  assert.equal(statusOf(0.001, "falseticker")?.status, "combined");
});

Deno.test("a source that was found false does not lend the vote that others lack", () => {
  const agreeingWith = (offset: number, doubt?: "falseticker") => {
    const one = source(3, offset, { uncertainty: 0.001, doubt });
    return run([source(1, 0), source(2, 0), one], { minimumAgreeing: 3 }).agreeing;
  };
  assert.equal(agreeingWith(0.018), 3);
  assert.equal(agreeingWith(0.018, "falseticker"), 2);
  assert.equal(agreeingWith(0.001, "falseticker"), 3);
});

Deno.test("a source that was cast off is used again only when it is clear of the edge", () => {
  const good = [source(1, 0), source(2, 0), source(3, 0)];
  const statusOf = (offset: number, doubt?: "outlier") =>
    run([...good, source(4, offset, { uncertainty: 0.001, rootDistance: 0.04, doubt })])
      .statuses.get(4);
  assert.equal(statusOf(0.008)?.status, "combined");
  assert.equal(statusOf(0.008, "outlier")?.status, "outlier");
  assert.match(statusOf(0.008, "outlier")?.reason ?? "", /too near to the edge of the interval/);
  assert.equal(statusOf(0.006, "outlier")?.status, "combined");
  // some are left, however near the edge all of them are
  const all = [1, 2, 3].map((id) => source(id, id / 1000, { uncertainty: 0.1, doubt: "outlier" }));
  assert.ok(run(all).survivors.length > 0);
});

Deno.test("where most can be right is no bound for preferred sources, unless a trusted one agrees", () => {
  const narrow = { rootDistance: 0.004 }, wide = { rootDistance: 0.4, prefer: true };
  const good = [source(1, 0, narrow), source(2, 0.001, narrow), source(3, -0.001, narrow)];
  const one = run([...good, source(4, 0.3, wide)]);
  assert.deepEqual(one.survivors, [4]);
  near(one.possible, { low: -0.1, high: 0.7 });
  const two = run([...good, source(4, 0.3, wide), source(5, 0.2, wide)]);
  assert.deepEqual(two.survivors.toSorted(), [4, 5]);
  near(two.possible, { low: -0.1, high: 0.6 });
  const beside = run([{ ...source(1, 0, narrow), trust: true }, source(4, 0.3, wide)]);
  assert.deepEqual(beside.survivors, [1]);
  near(beside.possible, { low: -0.004, high: 0.004 });
});

Deno.test("a preferred source is used alone while it agrees", () => {
  const selection = run([source(1, 0), source(2, 0.001, { prefer: true, rootDistance: 0.05 })]);
  assert.deepEqual(selection.survivors, [2]);
  assert.equal(
    selection.statuses.get(1)?.reason,
    "Agrees, but s2 is preferred: offset 0.000 us, error bound 10.000 ms",
  );
  const wrong = run([source(1, 0), source(3, 0), source(2, 0.5, { prefer: true })]);
  assert.deepEqual(statuses(wrong), { 1: "selected", 2: "falseticker", 3: "combined" });
});

Deno.test("the system peer is the nearest, and changes only for a clearly better one", () => {
  const near = source(1, 0, { rootDistance: 0.009 }), far = source(2, 0, { rootDistance: 0.01 });
  assert.equal(run([near, far]).systemPeer, 1);
  assert.equal(run([near, far], { previous: 2 }).systemPeer, 2);
  const nearer = source(1, 0, { rootDistance: 0.005 });
  assert.equal(run([nearer, far], { previous: 2 }).systemPeer, 1);
  assert.equal(run([near, far], { previous: 99 }).systemPeer, 1);
});

Deno.test("a tie between two places stays with the joint estimate, or takes the narrower claims", () => {
  const bridge = source(1, 0, { rootDistance: 0.1 });
  const left = source(2, -0.05, { rootDistance: 0.01 }), right = source(3, 0.05);
  assert.equal(run([bridge, left, right], { estimate: 0.04 }).systemPeer, 3);
  assert.equal(run([bridge, left, right], { estimate: -0.04 }).systemPeer, 2);
  const narrow = source(3, 0.05, { rootDistance: 0.005 });
  assert.equal(statuses(run([bridge, left, narrow]))[2], "falseticker");
});

Deno.test("trusted sources are not cast off by a crowd, and bound how far it moves the time", () => {
  const trust = { trust: true, rootDistance: 0.01 };
  const wide = { rootDistance: 1.4, jitter: 0.5 };
  const crowd = [4, 5, 6, 7].map((id) => source(id, 1, wide));
  const proven = [source(1, 0, trust), source(2, 0.001, trust), source(3, -0.001, trust)];
  const selection = run([...proven, ...crowd]);
  assert.deepEqual(statuses(selection), {
    ...{ 1: "selected", 2: "combined", 3: "combined" },
    ...{ 4: "outlier", 5: "outlier", 6: "outlier", 7: "outlier" },
  });
  assert.equal(
    selection.statuses.get(4)?.reason,
    "Offset 1.000 s lies 990.000 ms outside the interval where most trusted sources can be right",
  );
  const honest = source(4, 0.005, { rootDistance: 0.006 });
  const helped = run([...proven, honest]);
  assert.deepEqual(helped.survivors.toSorted(), [1, 2, 3, 4]);
  assert.equal(helped.systemPeer, 1, "the outside sees a trusted one");
  const stray = source(4, 1, { ...wide, prefer: true });
  assert.deepEqual(run([...proven, stray]).survivors.toSorted(), [1, 2, 3]);
});

Deno.test("a source that must agree counts before it is a candidate", () => {
  const plain = [source(1, 0), source(2, 0)];
  const mix = run(plain, { authentication: "mix", required: ["b.example", "a.example"] });
  assert.deepEqual(mix.survivors, []);
  assert.match(
    mix.reason ?? "",
    /^No required source is among the 2 that agree \(a\.example, b\.example\); .*"prefer"/,
  );
  const many = Array.from({ length: 100 }, (_, i) => `n${String(i).padStart(2, "0")}.example`);
  assert.match(
    run(plain, { required: many.toReversed() }).reason ?? "",
    / that agree \(n00\.example, n01\.example, n02\.example, n03\.example and 96 more\)/,
  );
  const proven = source(3, 0, { require: true, isAuthenticated: true });
  assert.equal(run([...plain, proven], { required: ["s3"] }).survivors.length, 3);
});

Deno.test("authenticated sources are preferred, or required, if the administrator says so", () => {
  const proven = { isAuthenticated: true, trust: true };
  const both = [source(1, 0, proven), source(2, 0, proven), source(3, 0), source(4, 3)];
  const prefer = (them: readonly Candidate[], minimumAgreeing = 2) =>
    run(them, { authentication: "prefer", minimumAgreeing });
  assert.deepEqual(statuses(prefer(both)), {
    ...{ 1: "selected", 2: "combined", 3: "candidate", 4: "falseticker" },
  });
  assert.deepEqual(prefer(both.slice(1, 3)).survivors, [2, 3], "one proves itself, one helps");
  assert.deepEqual(prefer([...both.slice(2, 3), source(5, 0)]).survivors, [3, 5]);
  const torn = [source(1, 0, proven), source(2, 1, proven), source(3, 0), source(5, 0)];
  assert.deepEqual(prefer(torn).survivors, [], "trusted sources that disagree");
  const require = run(both, { authentication: "require", minimumAgreeing: 2 });
  assert.deepEqual(statuses(require), {
    ...{ 1: "selected", 2: "combined", 3: "no-select", 4: "no-select" },
  });
});

Deno.test("enough trusted sources need no others, and these cannot keep them from the clock", () => {
  const proven = { isAuthenticated: true, trust: true, require: true };
  const two = [source(1, 0, proven), source(2, 0.001, proven)];
  const lies = [source(3, 0.5), source(4, 0.501), source(5, 0.499)];
  const three = { minimumAgreeing: 3, minimumTrusted: 2 };
  for (const authentication of ["mix", "prefer"] as const) {
    const asked = { ...three, authentication };
    assert.deepEqual(run([...two, ...lies], asked).survivors, [1, 2]);
    assert.deepEqual(run(two, asked).survivors, [1, 2]);
    const torn = [source(1, 0, proven), source(2, 1, proven), ...lies];
    assert.deepEqual(run(torn, asked).survivors, [], "trusted ones that disagree");
  }
  const lone = run([source(1, 0, proven), ...lies], three);
  assert.match(lone.reason ?? "", /^Only 1 source agrees, minimum-agreeing-sources is 3/);
  const helped = [source(1, 0, proven), source(3, 0), source(4, 0)];
  assert.equal(run(helped, three).survivors.length, 3, "others that agree count as before");
  assert.deepEqual(run([...two, ...lies], { minimumAgreeing: 3 }).survivors, []);
});

const candidates = fc.uniqueArray(
  fc.record({
    id: fc.nat(1000),
    offset: fc.integer({ min: -50, max: 50 }).map((n) => n / 64),
    rootDistance: fc.integer({ min: 0, max: 120 }).map((n) => n / 64),
    jitter: fc.integer({ min: 0, max: 80 }).map((n) => n / 64),
    stratum: fc.integer({ min: 1, max: 15 }),
    samples: fc.nat(3),
    isReachable: fc.boolean(),
    trust: fc.boolean(),
    prefer: fc.boolean(),
    noSelect: fc.boolean(),
    uncertainty: fc.integer({ min: 0, max: 40 }).map((n) => n / 64),
    doubt: fc.constantFrom("falseticker", "outlier", undefined),
  }),
  { selector: ({ id }) => id, maxLength: 9 },
).map((list) => list.map(({ id, offset, ...rest }) => source(id, offset, rest)));

const sets = fc.oneof(
  candidates,
  candidates.map((list) =>
    list.map((each) => ({ ...each, isReachable: true, samples: 4, trust: false, prefer: false }))
  ),
);

Deno.test("the outcome does not depend on the order of the sources", () => {
  const shuffled = sets.chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.shuffledSubarray([...list], { minLength: list.length }),
      fc.option(fc.nat(1000), { nil: undefined }),
    )
  );
  fc.assert(
    fc.property(shuffled, ([list, other, previous]) => {
      const a = run(list, { previous, minimumAgreeing: 2 });
      const b = run(other, { previous, minimumAgreeing: 2 });
      assert.deepEqual(
        { ...a, statuses: [...a.statuses].sort(([x], [y]) => x - y) },
        { ...b, statuses: [...b.statuses].sort(([x], [y]) => x - y) },
      );
    }),
    { numRuns: 3000 },
  );
});

Deno.test("every source has one status, and only those that agree are used", () => {
  fc.assert(
    fc.property(sets, fc.nat(4), (list, minimumAgreeing) => {
      const selection = run(list, { minimumAgreeing });
      assert.equal(selection.statuses.size, list.length);
      const used = [...selection.statuses].filter(([, { status }]) =>
        status === "selected" || status === "combined"
      );
      assert.deepEqual(used.map(([id]) => id).sort(), [...selection.survivors].sort());
      assert.equal(selection.survivors[0], selection.systemPeer);
      assert.equal(selection.reason === undefined, selection.systemPeer !== undefined);
      if (selection.reason !== undefined) return;
      assert.ok(selection.agreeing >= minimumAgreeing);
      for (const id of selection.survivors) {
        const { offset, rootDistance } = list.find((each) => each.id === id) ?? assert.fail();
        assert.ok(offset - rootDistance <= (selection.interval?.low ?? NaN));
        assert.ok(offset + rootDistance >= (selection.interval?.high ?? NaN));
      }
    }),
    { numRuns: 3000 },
  );
});
