import assert from "node:assert/strict";
import { exchangeOutcome } from "../../tests/support/nts_sessions.ts";
import { SourceWorld } from "../../tests/support/source_world.ts";
import { err, ok } from "../base/result.ts";
import { AeadOffers } from "./aead_offers.ts";
import type { SourceGroupConfig } from "./config.ts";
import type { KeyExchangeOutcome } from "../nts/key_exchange/outcome.ts";

const OUTCOME: KeyExchangeOutcome = exchangeOutcome({ cookies: [] });

function secured(config: Partial<SourceGroupConfig> = {}, holder = ""): SourceWorld {
  const world = new SourceWorld({ mode: "nts", count: 1, port: 4460, ...config }, {
    holderOf: ({ address }) => address === holder ? "two.example.org" : undefined,
    startSession: () => ({
      authentication: "nts",
      protect: (packet) => ok({ packet, uniqueIdentifier: new Uint8Array(0) }),
      verify: () => ok({}),
    }),
  });
  world.start();
  return world;
}

/** Ends the newest exchange. */
function finish(world: SourceWorld, outcome: Partial<KeyExchangeOutcome> | string): void {
  const association = world.exchanges.at(-1) ?? assert.fail("no exchange");
  const result = typeof outcome === "string" ? err(outcome) : ok({ ...OUTCOME, ...outcome });
  world.take(
    world.group.handleKeysExchanged({ type: "keys-exchanged", association, result }, world.now) ??
      [],
  );
}

Deno.test("hosts that a key exchange names are refused like those of a name server, by number and by name", () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ["0.0.0.0", /^0\.0\.0\.0 is the unspecified address, not that of a server$/],
    ["0.1.2.3", /unspecified/],
    ["::", /^:: is the unspecified address/],
    ["224.0.0.251", /multicast/],
    ["::ffff:224.0.0.1", /multicast/],
    ["ff02::1", /multicast/],
    ["255.255.255.255", /broadcast/],
    ["240.0.0.1", /reserved/],
    ["127.0.0.1", /^127\.0\.0\.1 is this machine's own address, not that of a server$/],
    ["127.8.9.1", /own address/],
    ["::1", /own address/],
    ["::ffff:127.0.0.1", /own address/],
    ["192.0.2.66", /^The address 192\.0\.2\.66 is ignored/],
    ["::ffff:192.0.2.66", /is ignored/],
  ];
  for (const [address, reason] of refused) {
    for (const ntpServer of [address, "ntp.example.org"]) {
      const world = secured({ ignore: ["192.0.2.66"] });
      world.names = [address];
      finish(world, { ntpServer, ntpPort: 514 });
      assert.deepEqual(world.addresses, [], `${ntpServer} ${address}`);
      assert.match(world.group.error ?? "", reason);
      assert.match(world.group.report ?? "", /^has no keys: /);
      world.runTo(60);
      finish(world, {});
      assert.deepEqual([world.addresses, world.group.error], [["192.0.2.7"], undefined]);
    }
  }
});

Deno.test("a member is not sent to such a host later either", () => {
  const world = secured();
  finish(world, {});
  world.take(
    world.group.handleKeysExchanged({
      type: "keys-exchanged",
      association: 1,
      result: ok({ ...OUTCOME, peerAddress: "::ffff:192.0.2.7" }),
    }, world.now) ?? [],
  );
  assert.deepEqual(world.group.takeRemoved(), [], "another spelling is no other server");
  finish(world, { peerAddress: "255.255.255.255" });
  assert.deepEqual(world.addresses, []);
  assert.match(world.group.error ?? "", /broadcast/);
});

Deno.test("a key exchange on loopback may name loopback, in every spelling", () => {
  for (const peerAddress of ["127.0.0.1", "::1", "127.3.2.1"]) {
    for (const ntpServer of ["127.0.0.5", "::ffff:127.0.0.5", "here.example.org", undefined]) {
      const world = secured();
      world.names = ["127.0.0.5"];
      finish(world, { ntpServer, peerAddress });
      assert.deepEqual(world.addresses, [ntpServer === undefined ? peerAddress : "127.0.0.5"]);
    }
  }
});

Deno.test("a pool of servers with keys takes an address once, whatever ports are named", () => {
  const world = secured({ mode: "nts-pool", count: 4 });
  let port = 20_000;
  for (let time = 0; time < 4000; time += 100) {
    world.runTo(time);
    for (const association of world.exchanges.splice(0)) {
      const outcome = { ...OUTCOME, ntpServer: "192.0.2.9", ntpPort: port++ };
      const event = { type: "keys-exchanged" as const, association, result: ok(outcome) };
      world.take(world.group.handleKeysExchanged(event, world.now) ?? []);
    }
  }
  assert.ok(port > 20_004, `${port - 20_000} exchanges`);
  assert.deepEqual(world.addresses, ["192.0.2.9"]);
  const told = "The key exchange named 192.0.2.9, which is already polled for pool.example.org";
  assert.equal(world.group.error, told);
});

Deno.test("a member whose keys are not good at an address does not keep it from one of the same pool", () => {
  const world = secured({ mode: "nts-pool", count: 2 });
  world.behaviour.set("192.0.2.9", "silent");
  finish(world, { ntpServer: "192.0.2.9" });
  finish(world, "Connection refused");
  world.runTo(300);
  world.behaviour.set("192.0.2.9", "answers");
  const later = world.exchanges.at(-1);
  finish(world, { ntpServer: "192.0.2.9" });
  assert.deepEqual(world.group.members.map(({ id }) => id), [later]);
  world.runTo(400);
  assert.equal(world.group.members[0]?.history.isReachable, true);
  for (const association of world.exchanges.slice(-1)) {
    const result = ok({ ...OUTCOME, ntpServer: "192.0.2.9" });
    world.take(
      world.group.handleKeysExchanged({ type: "keys-exchanged", association, result }, world.now) ??
        [],
    );
  }
  assert.equal(world.group.members[0]?.id, later, "one that has proved itself stays");
});

Deno.test("exchanges that come to nothing leave nothing behind", () => {
  const made = new Set<AeadOffers>();
  const { begin } = AeadOffers.prototype;
  AeadOffers.prototype.begin = function (association) {
    made.add(this);
    return begin.call(this, association);
  };
  try {
    const ends: readonly (Partial<KeyExchangeOutcome> | string)[] = [
      "Connection refused",
      { ntpServer: "0.0.0.0" },
      { ntpServer: "192.0.2.8" },
      { ntpServer: "no.example.org" },
    ];
    for (const end of ends) {
      const world = secured({ mode: "nts-pool", count: 3 }, "192.0.2.8");
      world.names = "Name not known";
      for (let time = 0; time < 50_000; time += 50) {
        world.runTo(time);
        for (const association of world.exchanges.splice(0)) {
          const result = typeof end === "string" ? err(end) : ok({ ...OUTCOME, ...end });
          const event = { type: "keys-exchanged" as const, association, result, reason: "closed" };
          world.take(world.group.handleKeysExchanged(event, world.now) ?? []);
        }
      }
      const [offers] = made;
      assert.equal(offers?.size, 0, JSON.stringify(end));
      made.clear();
    }
  } finally {
    AeadOffers.prototype.begin = begin;
  }
});
