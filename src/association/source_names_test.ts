import assert from "node:assert/strict";
import { SourceWorld } from "../../tests/support/source_world.ts";
import { SeededRandom } from "../base/random.ts";

const FIVE = ["192.0.2.1", "192.0.2.2", "2001:db8::3", "192.0.2.4", "192.0.2.5"];

Deno.test("hosts of a fleet take different members of a pool, and the resolver's families", () => {
  const names = [...Array(6).keys()].flatMap((i) => [`2001:db8::${i + 1}`, `192.0.2.${i + 1}`]);
  const taken = new Map<string, number>();
  for (let seed = 1; seed <= 300; seed++) {
    const world = new SourceWorld({ count: 2 }, { random: new SeededRandom(seed) });
    world.names = names;
    world.start();
    const { addresses } = world;
    assert.deepEqual(addresses.map((address) => address.includes(":")), [false, true]);
    for (const address of addresses) taken.set(address, (taken.get(address) ?? 0) + 1);
  }
  assert.equal(taken.size, 12);
  // 50 are to be expected of each; less than 25 is a matter of 1 in 10^5
  for (const [address, times] of taken) assert.ok(times > 25, `${address} ${times} times`);
});

Deno.test("addresses out of DNS that are none of a server are not used, and the reason is told", () => {
  const kinds: readonly (readonly [string, RegExp])[] = [
    ["0.0.0.0", /^0\.0\.0\.0 is the unspecified address/],
    ["::", /^:: is the unspecified address/],
    ["255.255.255.255", /broadcast/],
    ["224.0.1.1", /multicast/],
    ["ff02::101", /multicast/],
  ];
  for (const [address, reason] of kinds) {
    const world = new SourceWorld({ mode: "server", count: 1 });
    world.names = [address];
    world.start();
    assert.deepEqual(world.addresses, []);
    assert.match(world.group.error ?? "", reason);
    world.names = [address, "192.0.2.1"];
    world.runTo(100);
    assert.deepEqual([world.addresses, world.group.error], [["192.0.2.1"], undefined]);
  }
});

Deno.test("a second name of an address in use says so, and takes over when it is free", () => {
  for (const host of ["two.example.org", "192.0.2.1"]) {
    let isFree = false;
    const world = new SourceWorld({ mode: "server", count: 1, host }, {
      holderOf: () => isFree ? undefined : "one.example.org",
    });
    world.names = ["192.0.2.1"];
    world.start();
    const told = "The address 192.0.2.1 is already polled for one.example.org";
    assert.deepEqual([world.addresses, world.group.error], [[], told]);
    isFree = true;
    world.runTo(600);
    assert.deepEqual([world.addresses, world.group.error], [["192.0.2.1"], undefined]);
  }
});

Deno.test("a name whose only address is asked for another source is no reason for a lookup every minute", () => {
  let isFree = false;
  const world = new SourceWorld({ mode: "server", count: 1 }, {
    holderOf: () => isFree ? undefined : "one.example.org",
  });
  world.names = ["192.0.2.1"];
  world.start();
  world.runTo(DAY);
  assert.ok(world.lookups.length < 70, `${world.lookups.length} lookups in a day`);
  isFree = true;
  world.runTo(DAY + 65);
  assert.deepEqual(world.addresses, ["192.0.2.1"]);
});

const DAY = 86_400;

Deno.test("a name is looked up again after two weeks or so, and a member that it has no more is replaced", () => {
  const world = new SourceWorld({ pollIntervalLimits: { min: 10, max: 10 } });
  world.names = FIVE.slice(0, 4);
  world.start();
  for (let day = 1; day <= 13; day++) world.runTo(day * DAY);
  const before = world.addresses;
  assert.equal(world.lookups.length, 1);
  const [gone = "", alsoGone = "", kept = ""] = before;
  world.names = [kept, "192.0.2.8", "192.0.2.9"];
  const due = world.lookups.length;
  while (world.lookups.length === due) world.runTo(world.now + 600);
  assert.ok(world.now <= 18 * DAY, `${world.now} s`);
  // one at a time, so that what is known of the others lasts
  assert.equal(world.addresses.filter((address) => before.includes(address)).length, 2);
  world.runTo(world.now + 3700);
  assert.deepEqual(world.addresses, [kept, "192.0.2.8", "192.0.2.9"].sort());
  for (const address of [gone, alsoGone]) {
    const told = `no longer uses ${address}:123: the name no longer resolves to it`;
    assert.ok(world.logs.some((line) => line.includes(told)) || address.includes(":"));
  }
  assert.equal(world.lookups.length, 2);
});

Deno.test("after a reload the name is looked up at once, and a named server that has moved is followed", () => {
  const world = new SourceWorld({ mode: "server", count: 1 });
  world.names = ["192.0.2.1"];
  world.start();
  world.runTo(1000);
  world.take(world.group.reconfigure(world.group.config, world.now));
  assert.deepEqual([world.lookups.length, world.addresses], [2, ["192.0.2.1"]]);
  assert.deepEqual(world.group.takeRemoved(), []);
  world.names = ["192.0.2.2"];
  world.runTo(2000);
  assert.deepEqual(world.addresses, ["192.0.2.1"]);
  world.take(world.group.reconfigure(world.group.config, world.now));
  assert.deepEqual([world.lookups.length, world.addresses], [3, ["192.0.2.2"]]);
  // a failure changes nothing
  world.names = "Temporary failure";
  world.runTo(3000);
  world.take(world.group.reconfigure(world.group.config, world.now));
  assert.deepEqual([world.lookups.length, world.addresses], [4, ["192.0.2.2"]]);
});
