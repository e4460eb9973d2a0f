import assert from "node:assert/strict";
import fc from "../../../tests/support/properties.ts";
import {
  ConnectionTable,
  networkPrefix,
  type Origin,
  originOf,
  PrefixLimit,
} from "./connection_table.ts";

class Fake {
  closed = false;
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  close(): void {
    this.closed = true;
  }
}

const at = (prefix: string, host = prefix) => ({ prefix, host });

Deno.test("a full table gives up the oldest of the largest crowd", () => {
  const table = new ConnectionTable<Fake>(4);
  const crowd = ["a1", "a2", "a3"].map((name) => new Fake(name));
  for (const one of crowd) assert.equal(table.add(at("a"), one), undefined);
  const lonely = new Fake("b1");
  assert.equal(table.add(at("b"), lonely), undefined);
  assert.equal(table.add(at("b"), new Fake("b2")), crowd[0]);
  assert.equal(table.size, 4);
  // Now both hold two; the one that was there first gives.
  assert.equal(table.add(at("c"), new Fake("c1")), crowd[1]);
  table.remove(at("a"), crowd[1] as Fake); // gone already: no effect
  assert.equal(table.size, 4);
  table.closeAll();
  assert.equal(table.size, 0);
  assert.equal(table.evict(), undefined);
  assert.equal(lonely.closed, true);
  assert.equal(crowd[0]?.closed, false);
});

Deno.test("in the largest crowd the busiest host gives, not its neighbours", () => {
  const table = new ConnectionTable<Fake>(10);
  const honest = new Fake("honest");
  table.add(at("net", "honest"), honest);
  for (let i = 0; i < 1000; i++) table.add(at("net", "attacker"), new Fake(`a${i}`));
  for (let i = 0; i < 8; i++) assert.match(table.evict()?.name ?? "", /^a99[0-9]$/);
  table.remove(at("net", "honest"), honest);
  assert.equal(table.size, 1);
});

Deno.test("property: a table never holds more than it may, and forgets nobody", () => {
  const step = fc.tuple(fc.nat(2), fc.nat(2), fc.boolean());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (steps, max) => {
      const table = new ConnectionTable<Fake>(max);
      const inside = new Map<Fake, Origin>();
      for (const [prefix, host, adds] of steps) {
        const origin = at(String(prefix), String(host));
        const [first] = inside;
        if (adds || first === undefined) {
          const one = new Fake("x");
          const evicted = table.add(origin, one);
          assert.equal(evicted !== undefined, inside.size === max);
          if (evicted !== undefined) assert.ok(inside.delete(evicted));
          inside.set(one, origin);
        } else {
          table.remove(first[1], first[0]);
          inside.delete(first[0]);
        }
        assert.equal(table.size, inside.size);
      }
      while (table.size > 0) assert.ok(inside.delete(table.evict() as Fake));
      assert.equal(inside.size, 0);
    }),
  );
});

Deno.test("hosts of addresses", () => {
  const host = (address: string) => originOf(address).host;
  assert.notEqual(host("192.0.2.1"), host("192.0.2.2"));
  assert.equal(host("192.0.2.1"), host("::ffff:192.0.2.1"));
  assert.equal(host("2001:db8::1"), host("2001:db8::ffff:1"));
  assert.notEqual(host("2001:db8::1"), host("2001:db8:0:1::1"));
  assert.deepEqual(originOf("::1").prefix, originOf("127.0.0.9").prefix);
  assert.equal(originOf("nonsense").prefix, "unknown");
});

Deno.test("a prefix gets its burst, then its rate, and does not disturb another", () => {
  const limit = new PrefixLimit({ burst: 3, perSecond: 2 });
  const take = (prefix: string, now: number) => limit.take(prefix, now);
  assert.deepEqual([0, 0, 0, 0].map((now) => take("a", now)), [true, true, true, false]);
  assert.equal(take("b", 0), true);
  assert.deepEqual([0.4, 0.5, 0.6].map((now) => take("a", now)), [false, true, false]);
  assert.deepEqual([1000, 1000, 1000, 1000].map((now) => take("a", now)), [
    true,
    true,
    true,
    false,
  ]);
});

Deno.test("the limit remembers the latest prefixes only", () => {
  const limit = new PrefixLimit({ burst: 1, perSecond: 0 }, 2);
  assert.equal(limit.take("a", 0), true);
  assert.equal(limit.take("a", 0), false);
  limit.take("b", 0);
  limit.take("c", 0);
  assert.equal(limit.take("a", 0), true);
});

Deno.test("prefixes of addresses", () => {
  const prefixes: Record<string, string | undefined> = {
    "192.0.2.77": "192.0.2",
    "::ffff:192.0.2.1": "192.0.2",
    "2001:db8:7:8::1": "32.1.13.184.0.7".replaceAll(".", ":"),
    "fe80::1%2": "254:128:0:0:0:0",
    "127.0.0.1": undefined,
    "127.9.9.9": undefined,
    "::1": undefined,
    "nonsense": "unknown",
  };
  for (const [address, prefix] of Object.entries(prefixes)) {
    assert.equal(networkPrefix(address), prefix, address);
  }
});
