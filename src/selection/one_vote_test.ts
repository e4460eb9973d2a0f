import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { plainCandidate } from "../../tests/support/plain_candidate.ts";
import type { Candidate } from "./candidate.ts";
import { select, type Selection, type SelectionOptions } from "./select.ts";

function source(id: number, host: string, change: Partial<Candidate> = {}): Candidate {
  return plainCandidate(id, { identities: [host, `${host} port ${id}`], ...change });
}

function run(candidates: readonly Candidate[], options: Partial<SelectionOptions> = {}): Selection {
  return select(candidates, { minimumAgreeing: 1, ...options });
}

function statuses(selection: Selection): Readonly<Record<number, string>> {
  return Object.fromEntries([...selection.statuses].map(([id, { status }]) => [id, status]));
}

const PROOF = { isAuthenticated: true, trust: true };

Deno.test("one host under many ports is outvoted by two others", () => {
  for (const change of [{}, PROOF]) {
    const many = [...Array(27).keys()].map((i) => source(i + 10, "x", { ...change, offset: 5 }));
    const selection = run([...many, source(1, "a", change), source(2, "b", change)]);
    assert.deepEqual([selection.agreeing, selection.agreed], [2, [1, 2]]);
    assert.equal(statuses(selection)[10], "falseticker");
    assert.equal(statuses(selection)[11], "candidate");
    const told = "Has the same address as s10, which votes for both";
    assert.equal(selection.statuses.get(11)?.reason, told);
  }
});

Deno.test("one host under many ports is no quorum, and the sentence says so", () => {
  const selection = run([source(1, "x"), source(2, "x"), source(3, "x")], { minimumAgreeing: 2 });
  assert.equal(selection.systemPeer, undefined);
  assert.match(
    selection.reason ?? "",
    /^Only 1 source agrees, minimum-agreeing-sources is 2; not used: s2 and 1 more: Has the same address as s1/,
  );
});

Deno.test("who proves the server votes, and for what is trusted or required there", () => {
  for (const authentication of ["mix", "prefer", "ignore"] as const) {
    const plain = source(1, "x", { offset: 5, trust: true, require: true, prefer: true });
    const proven = source(2, "x", { isAuthenticated: true });
    const selection = run([plain, proven, source(3, "y")], { authentication });
    assert.equal(selection.systemPeer, 2, authentication);
    assert.notEqual(statuses(selection)[1], "combined");
  }
});

Deno.test("a source that has no answer takes no vote, and makes nobody trusted", () => {
  const silent = source(1, "x", { ...PROOF, isReachable: false, samples: 0, require: true });
  const plain = source(2, "x", { offset: 5 });
  const trusted = source(3, "y", { trust: true });
  assert.deepEqual(run([silent, plain, trusted], { required: [] }).agreed, [3]);
  assert.match(run([silent, plain]).reason ?? "", /^No required source is among/);
  assert.deepEqual(run([silent, plain], { required: [] }).agreed, [2]);
  assert.deepEqual(run([source(1, "x", { noSelect: true }), plain]).agreed, [2]);
});

Deno.test("no order of the sources gives a host a second vote", () => {
  const candidate = fc.record({
    host: fc.constantFrom("a", "b", "c"),
    offset: fc.constantFrom(0, 0.001, 3),
    isAuthenticated: fc.boolean(),
    trust: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(candidate, { maxLength: 12 }), (all) => {
    const candidates = all.map(({ host, ...change }, i) => source(i + 1, host, change));
    const selection = run(candidates);
    const hosts = selection.agreed.map((id) => all[id - 1]?.host);
    assert.equal(new Set(hosts).size, hosts.length);
    assert.deepEqual(run(candidates.toReversed()), selection);
    assert.equal(selection.statuses.size, candidates.length);
  }));
});
