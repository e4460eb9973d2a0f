import assert from "node:assert/strict";
import { ConnectionTable, networkPrefix, PrefixLimit } from "./connection_table.ts";

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

Deno.test("a full table gives up the oldest of the largest crowd", () => {
  const table = new ConnectionTable<Fake>(4);
  const crowd = ["a1", "a2", "a3"].map((name) => new Fake(name));
  for (const one of crowd) assert.equal(table.add("a", one), undefined);
  const lonely = new Fake("b1");
  assert.equal(table.add("b", lonely), undefined);
  assert.equal(table.add("b", new Fake("b2")), crowd[0]);
  assert.equal(table.size, 4);
  // Now both hold two; the one that was there first gives.
  assert.equal(table.add("c", new Fake("c1")), crowd[1]);
  table.remove("a", crowd[1] as Fake); // gone already: no effect
  assert.equal(table.size, 4);
  table.closeAll();
  assert.equal(table.size, 0);
  assert.equal(lonely.closed, true);
  assert.equal(crowd[0]?.closed, false);
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
