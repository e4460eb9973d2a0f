import { equal } from "node:assert/strict";
import fc from "../../../tests/support/properties.ts";
import { countParties } from "./parties.ts";

function count(...servers: readonly (readonly [string, string?])[]): number {
  return countParties(servers.map(([host, key]) => ({ host, key })));
}

Deno.test("who shares a host or a key is one party", () => {
  equal(count(), 0);
  equal(count(["a", "k"], ["b", "l"]), 2);
  equal(count(["a", "k"], ["a", "l"]), 1);
  equal(count(["a", "k"], ["b", "k"]), 1);
  equal(count(["a"], ["a"], ["b"]), 2);
  equal(count(["a", "a"], ["b", "b"], ["k", "l"]), 3, "a host is no key");
});

Deno.test("who shares them with one that shares them with another is the same party too", () => {
  // one operator: a pool behind one host, of which one server has the key of another host
  equal(count(["pool", "k"], ["pool", "l"], ["b", "k"]), 1);
  equal(count(["pool", "k"], ["pool", "l"], ["pool", "m"], ["b", "k"], ["c", "k"]), 1);
  equal(count(["a", "k"], ["b", "l"], ["a", "l"]), 1, "what comes last may join two");
});

Deno.test("property: the order says nothing, and a further server adds one party at most", () => {
  const name = fc.constantFrom("a", "b", "c", "d", "e");
  const server = fc.record({ host: name, key: fc.option(name, { nil: undefined }) });
  fc.assert(fc.property(fc.array(server, { maxLength: 8 }), server, (servers, another) => {
    const parties = countParties(servers);
    equal(countParties(servers.toReversed()), parties);
    equal(countParties([...servers, ...servers]), parties);
    equal(countParties([...servers, another]) <= parties + 1, true);
    equal(parties <= new Set(servers.map(({ host }) => host)).size, true);
  }));
});
