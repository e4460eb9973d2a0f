import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { exchangeOutcome } from "../../tests/support/nts_sessions.ts";
import { type Behaviour, SourceWorld } from "../../tests/support/source_world.ts";
import { err, ok } from "../base/result.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { SourceGroupConfig } from "./config.ts";
import type { KeyExchangeOutcome } from "../nts/key_exchange/outcome.ts";
import type { PacketProtection } from "./protection.ts";

const FIVE = ["192.0.2.1", "192.0.2.2", "2001:db8::3", "192.0.2.4", "192.0.2.5"];

Deno.test("a pool takes as many members as it is to have", () => {
  const world = new SourceWorld();
  world.names = FIVE;
  world.start();
  const { addresses } = world;
  assert.equal(addresses.length, 3);
  // the order of families is the resolver's
  assert.ok(addresses.includes("2001:db8::3"));
  world.runTo(3600);
  assert.deepEqual(world.addresses, addresses);
  assert.equal(world.lookups.length, 1);
  assert.ok(world.group.members.every(({ history }) => history.reach === 255));
});

Deno.test("addresses that are ignored, repeated or used elsewhere are left out", () => {
  const world = new SourceWorld({ ignore: ["2001:DB8::0:3"] }, {
    holderOf: ({ address }) => address === "192.0.2.2" ? "two.example.org" : undefined,
  });
  world.names = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::3", "192.0.2.4"];
  world.start();
  assert.deepEqual(world.addresses, ["192.0.2.1", "192.0.2.4"]);
  // one is still wanted: the name is looked up again, ever more rarely
  world.runTo(3600);
  const times = world.lookups.map(({ at }) => at);
  assert.ok(times.length >= 4 && times.length <= 8, `${times.length} lookups in an hour`);
});

Deno.test("a dead member gives way to an address that is left, or to a new one", () => {
  const world = new SourceWorld();
  world.names = FIVE;
  world.start();
  world.runTo(600);
  const [dead, ...others] = world.group.members;
  assert.ok(dead !== undefined);
  world.behaviour.set(dead.address.address, "silent");
  world.runTo(1200);
  assert.equal(world.addresses.length, 3);
  assert.ok(others.every(({ address }) => world.addresses.includes(address.address)));
  assert.ok(!world.addresses.includes(dead.address.address));
  assert.deepEqual(world.group.takeRemoved(), [dead.id]);
  assert.deepEqual(world.group.takeRemoved(), []);
  for (const address of FIVE) {
    if (address !== "2001:db8::3") world.behaviour.set(address, "silent");
  }
  world.names = ["192.0.2.8", "192.0.2.9", "2001:db8::3"];
  world.runTo(2400);
  assert.deepEqual(world.addresses, ["192.0.2.8", "192.0.2.9", "2001:db8::3"]);
});

Deno.test("a dead member stays when there is no other address", () => {
  const world = new SourceWorld({ mode: "server", host: "one.example.org", count: 1 });
  world.names = ["192.0.2.1"];
  world.behaviour.set("192.0.2.1", "silent");
  world.start();
  world.runTo(7200);
  assert.deepEqual(world.addresses, ["192.0.2.1"]);
  assert.deepEqual(world.group.takeRemoved(), []);
  assert.ok(world.lookups.length > 3 && world.lookups.length < 12, `${world.lookups.length}`);
  world.names = ["192.0.2.2"];
  world.runTo(12_000);
  assert.deepEqual(world.addresses, ["192.0.2.2"]);
});

Deno.test("a server that never answers gives way quickly to its other address", () => {
  const world = new SourceWorld({ mode: "server", count: 1 });
  world.names = ["2001:db8::1", "192.0.2.1"];
  world.behaviour.set("2001:db8::1", "silent");
  world.start();
  assert.deepEqual(world.addresses, ["2001:db8::1"]);
  world.runTo(60);
  assert.deepEqual(world.addresses, ["192.0.2.1"]);
});

Deno.test("a numeric address is never looked up, and asked again an hour after a denial", () => {
  const world = new SourceWorld({ mode: "server", host: "2001:db8::1", count: 1 });
  world.behaviour.set("2001:db8::1", "denies");
  world.start();
  world.runTo(1000);
  assert.equal(world.group.members[0]?.isStopped, true);
  world.behaviour.set("2001:db8::1", "answers");
  world.runTo(5000);
  assert.equal(world.group.members[0]?.history.isReachable, true);
  assert.deepEqual(world.group.takeRemoved(), [1]);
  assert.equal(world.lookups.length, 0);
});

Deno.test("a pool never has two members at one address, also after denials", () => {
  const world = new SourceWorld({ count: 3 });
  world.names = ["192.0.2.1"];
  world.behaviour.set("192.0.2.1", "denies");
  world.start();
  for (let hour = 1; hour <= 5; hour++) {
    world.runTo(hour * 4000);
    assert.deepEqual(world.addresses, ["192.0.2.1"]);
  }
  assert.ok(world.requests.length >= 4, "it is asked again after an hour");
  world.behaviour.set("192.0.2.1", "answers");
  world.runTo(30_000);
  assert.deepEqual(world.group.members.map(({ history }) => history.isReachable), [true]);
});

Deno.test("a lasting falseticker without a successor keeps no timer busy", () => {
  const begin = () => {
    const pollIntervalLimits = { min: 10, max: 10 };
    const world = new SourceWorld({ count: 3, pollIntervalLimits, initialPollInterval: 10 });
    world.names = FIVE.slice(0, 3);
    world.start();
    world.runTo(100);
    world.group.noteFalseticker(1, world.now);
    world.runTo(3600);
    return world;
  };
  const reloaded = begin();
  reloaded.names = "no such name";
  for (let i = 0; i < 5; i++) {
    const { group, now } = reloaded;
    reloaded.take(group.reconfigure(group.config, now));
    reloaded.runTo(now + 20);
  }
  const unlisted = begin();
  unlisted.names = FIVE.slice(0, 2);
  unlisted.runTo(20 * 86_400);
  assert.equal(unlisted.group.members.length, 3);
});

Deno.test("a lasting falseticker leaves a pool, a named server stays", () => {
  for (const mode of ["pool", "server"] as const) {
    const world = new SourceWorld({ mode, count: 3 });
    world.names = FIVE;
    world.start();
    world.runTo(100);
    const address = world.group.member(1)?.address.address ?? "";
    world.group.noteFalseticker(1, world.now);
    world.runTo(500);
    world.group.noteFalseticker(1, world.now);
    assert.ok(world.addresses.includes(address));
    world.runTo(800);
    assert.equal(world.addresses.includes(address), mode === "server");
  }
});

Deno.test("a short doubt about a member is forgiven", () => {
  const world = new SourceWorld();
  world.names = FIVE;
  world.start();
  world.runTo(100);
  const { addresses } = world;
  world.group.noteFalseticker(1, 100);
  world.group.noteFalseticker(1, undefined);
  world.group.noteFalseticker(1, 650);
  world.runTo(1200);
  assert.deepEqual(world.addresses, addresses);
});

Deno.test("a name that cannot be looked up is tried ever more rarely", () => {
  const world = new SourceWorld();
  world.names = "Name or service not known";
  world.start();
  world.runTo(24 * 3600);
  assert.equal(world.group.error, "Name or service not known");
  assert.equal(world.group.report, "cannot be queried: Name or service not known");
  const gaps = world.lookups.slice(1).map(({ at }, i) => at - (world.lookups[i]?.at ?? 0));
  assert.ok((gaps[0] ?? 0) >= 4 && (gaps[0] ?? 9) <= 5);
  // without any server the network may be the reason, so never more than about a minute
  assert.ok(Math.max(...gaps) >= 64 && Math.max(...gaps) <= 80);
  world.names = FIVE;
  world.runTo(25 * 3600);
  assert.equal(world.addresses.length, 3);
  assert.equal(world.group.error, undefined);
});

Deno.test("after a suspend the name is looked up again at once", () => {
  const world = new SourceWorld({ mode: "server", count: 1 });
  world.names = ["192.0.2.1"];
  world.behaviour.set("192.0.2.1", "silent");
  world.start();
  world.runTo(20_000);
  const before = world.lookups.length;
  world.group.requestBurst(world.now);
  world.runTo(world.now + 0.1);
  assert.equal(world.lookups.length, before + 1);
  world.group.requestBurst(world.now);
  world.runTo(world.now + 3);
  assert.equal(world.lookups.length, before + 1);
});

Deno.test("what is not of this group is left to others", () => {
  const world = new SourceWorld();
  assert.equal(
    world.group.handleResolved({ type: "resolved", lookup: 99, result: ok([]) }, 0),
    undefined,
  );
  assert.equal(
    world.group.handleKeysExchanged(
      { type: "keys-exchanged", association: 99, result: err("x") },
      0,
    ),
    undefined,
  );
});

const OUTCOME: KeyExchangeOutcome = exchangeOutcome({ cookies: [] });

function secured(config: Partial<SourceGroupConfig> = {}) {
  const told: boolean[] = [];
  const session = (): PacketProtection => ({
    authentication: "nts",
    protect: (packet) => ok({ packet, uniqueIdentifier: new Uint8Array(0) }),
    verify: () => ok({}),
    endKeyExchange: (result) => told.push(result.ok),
  });
  const world = new SourceWorld({ mode: "nts", count: 1, port: 4460, ...config }, {
    startSession: session,
  });
  return { world, told, session };
}

function finish(
  world: SourceWorld,
  id: number,
  outcome: Partial<KeyExchangeOutcome> | string,
): void {
  const result = typeof outcome === "string" ? err(outcome) : ok({ ...OUTCOME, ...outcome });
  const event = { type: "keys-exchanged" as const, association: id, result };
  world.take(world.group.handleKeysExchanged(event, world.now) ?? assert.fail("not of this group"));
}

function endpoint(address: SocketAddress | undefined): string {
  return `${address?.address} ${address?.port}`;
}

Deno.test("a secured source exchanges keys first, and asks the server that they name", () => {
  const { world, told } = secured();
  world.start();
  assert.deepEqual([world.exchanges, world.addresses], [[1], []]);
  finish(world, 1, {});
  assert.equal(endpoint(world.group.members[0]?.address), "192.0.2.7 123");
  assert.equal(world.group.member(1)?.protection?.authentication, "nts");
  finish(world, 1, {});
  assert.deepEqual(told, [true]);

  const { world: other } = secured();
  other.names = ["192.0.2.8"];
  other.start();
  finish(other, 1, { ntpServer: "ntp.example.org", ntpPort: 1123 });
  assert.deepEqual(other.lookups.map(({ host }) => host), ["ntp.example.org"]);
  assert.equal(endpoint(other.group.members[0]?.address), "192.0.2.8 1123");
});

Deno.test("key exchanges that fail are repeated after growing waits", () => {
  const { world } = secured();
  world.start();
  const times: number[] = [];
  for (let i = 1; i <= 20; i++) {
    times.push(world.now);
    finish(world, i, "Certificate has expired");
    world.runTo(world.group.nextWakeup());
  }
  assert.equal(world.group.report, "has no keys: Certificate has expired");
  // RFC 8915 section 4.2: 10 s, 15 s, 22.5 s ... and here up to a tenth more
  for (let i = 0; i < 19; i++) {
    const gap = (times[i + 1] ?? 0) - (times[i] ?? 0), least = 10 * 1.5 ** i;
    assert.ok(gap >= least * 0.999999 && gap <= least * 1.1, `wait ${i}: ${gap}`);
  }
});

Deno.test("a secured pool has members at different addresses", () => {
  const { world } = secured({ mode: "nts-pool", count: 2 });
  world.start();
  assert.deepEqual(world.exchanges, [1, 2]);
  finish(world, 1, {});
  finish(world, 2, {});
  assert.deepEqual(world.addresses, ["192.0.2.7"]);
  world.runTo(11.1);
  assert.deepEqual(world.exchanges, [1, 2, 3]);
  finish(world, 3, { peerAddress: "192.0.2.9" });
  assert.deepEqual(world.addresses, ["192.0.2.7", "192.0.2.9"]);
});

Deno.test("a member whose new keys are for another server is made anew there", () => {
  const { world, told } = secured();
  world.start();
  finish(world, 1, {});
  finish(world, 1, { peerAddress: "192.0.2.9" });
  assert.deepEqual([world.addresses, told], [["192.0.2.9"], [true]]);
  assert.deepEqual(world.group.takeRemoved(), [1]);
  finish(world, 2, { peerAddress: "192.0.2.9", ntpPort: 1123 });
  assert.equal(endpoint(world.group.members[0]?.address), "192.0.2.9 1123");
  assert.deepEqual(world.exchanges, [1], "no further exchange is needed for that");
});

Deno.test("failed exchanges are counted by their words, no matter what began them", () => {
  const { world } = secured();
  world.start();
  const fail = (association: number, reason?: string) =>
    world.group.handleKeysExchanged({
      type: "keys-exchanged",
      association,
      result: err("A sentence"),
      reason,
    }, world.now);
  fail(1, "timeout");
  world.runTo(11.1);
  finish(world, 2, {});
  fail(2, "timeout");
  fail(2);
  fail(99, "timeout");
  assert.deepEqual(world.group.exchangeFailures, { "timeout": 2, "A sentence": 1 });
});

Deno.test("a member that is given up is told why, and keys are exchanged anew", () => {
  const { world } = secured();
  world.start();
  finish(world, 1, {});
  world.now = 20;
  world.take(world.group.giveUp(1, { reason: "The certificate is bad", now: world.now }));
  assert.deepEqual([world.addresses, world.exchanges], [[], [1, 2]]);
  assert.deepEqual(world.logs.slice(-1), [
    "Source pool.example.org no longer uses 192.0.2.7:123: The certificate is bad",
  ]);
  assert.deepEqual(world.group.giveUp(1, { reason: "again", now: world.now }), []);
});

Deno.test("saved keys make a member without an exchange", () => {
  const { world, session } = secured();
  const address = { family: "ipv4", address: "192.0.2.3", port: 123 } as const;
  world.group.adopt({ address, protection: session() }, 0);
  world.start();
  assert.deepEqual([world.exchanges, world.addresses], [[], ["192.0.2.3"]]);
});

Deno.test("a group that is stopped closes what is open", () => {
  const world = new SourceWorld();
  world.names = FIVE;
  for (const address of FIVE) world.behaviour.set(address, "silent");
  world.start();
  world.runTo(0.2);
  assert.deepEqual(world.group.stop().map(({ type }) => type), ["close", "close", "close"]);
  assert.deepEqual(world.group.members, []);
});

const ADDRESSES = [...FIVE, "2001:db8::6", "192.0.2.7", "192.0.2.8"];

const happening = fc.oneof(
  fc.record({
    kind: fc.constant("behaviour" as const),
    address: fc.constantFrom(...ADDRESSES),
    behaviour: fc.constantFrom<Behaviour>("answers", "silent", "denies"),
  }),
  fc.record({
    kind: fc.constant("names" as const),
    names: fc.oneof(fc.constant("No such name"), fc.subarray(ADDRESSES)),
  }),
  fc.record({
    kind: fc.constant("falseticker" as const),
    id: fc.integer({ min: 1, max: 20 }),
    is: fc.boolean(),
  }),
  fc.constant({ kind: "burst" as const }),
  fc.constant({ kind: "step" as const }),
);

type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never;

function happen(event: Happening, world: SourceWorld): void {
  const { group, now } = world;
  switch (event.kind) {
    case "behaviour":
      world.behaviour.set(event.address, event.behaviour);
      break;
    case "names":
      world.names = event.names;
      break;
    case "falseticker":
      group.noteFalseticker(event.id, event.is ? now : undefined);
      break;
    case "burst":
      group.requestBurst(now);
      break;
    case "step":
      world.take(group.clockStepped(now));
  }
}

Deno.test("whatever happens in a long life, manners are kept", () => {
  const incidents = fc.array(fc.tuple(happening, fc.integer({ min: 1, max: 4000 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(fc.constantFrom("pool", "server"), incidents, (mode, events) => {
      const world = new SourceWorld({ mode, ignore: ["192.0.2.4"] });
      world.names = FIVE;
      world.start();
      for (const [event, seconds] of events) {
        happen(event, world);
        world.runTo(world.now + seconds);
        const { addresses } = world;
        assert.ok(addresses.length <= (mode === "pool" ? 3 : 1));
        assert.equal(new Set(addresses).size, addresses.length);
        assert.ok(!addresses.includes("192.0.2.4"));
      }
      checkManners(world);
    }),
    { numRuns: 60 },
  );
});

/**
 * A server is not asked twice in two seconds, nor more than a burst and the polls of a minute;
 * names are left alone too.
 */
function checkManners(world: SourceWorld): void {
  for (const [, requests] of Map.groupBy(world.requests, ({ address }) => address)) {
    for (const [i, { at }] of requests.entries()) {
      const before = requests[i - 1], earlier = requests[i - 12];
      assert.ok(before === undefined || at - before.at >= 2 - 1e-9, `asked at ${at} s`);
      assert.ok(earlier === undefined || at - earlier.at >= 60, `12 requests before ${at} s`);
    }
  }
  const times = world.lookups.map(({ at }) => at);
  for (const [i, at] of times.entries()) {
    assert.ok(i === 0 || at - (times[i - 1] ?? 0) >= 4 - 1e-9, `looked up at ${at} s`);
  }
}

Deno.test("a changed configuration of the same source keeps what is known of its servers", () => {
  const world = new SourceWorld();
  world.names = FIVE;
  world.start();
  world.runTo(3600);
  const before = world.group.members;
  const config = world.group.config;
  const limits = { min: 4, max: 5 };
  world.group.reconfigure({ ...config, count: 2, pollIntervalLimits: limits }, 3600);
  assert.deepEqual(world.group.members, before.slice(0, 2));
  assert.deepEqual(world.group.members.map(({ history }) => history.reach), [255, 255]);
  assert.ok(world.group.members.every(({ poll }) => poll <= 5));
  assert.deepEqual(world.group.takeRemoved(), [before[2]?.id]);
});
