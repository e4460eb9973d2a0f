import assert from "node:assert/strict";
import { EngineWorld, THREE_SOURCES } from "../../tests/support/engine_world.ts";
import { sessionProtections } from "../../tests/support/nts_sessions.ts";
import { err } from "../base/result.ts";

/**
 * How long it takes until the clock is set, with three good sources and another one; Infinity for
 * more than a minute.
 */
function timeToSet(more: string, prepare: (world: EngineWorld) => void = () => {}): number {
  const config = `${THREE_SOURCES}\n${more}\n[synchronization]\nauthentication = "ignore"`;
  const protections = sessionProtections();
  const world = new EngineWorld({ config, offset: 0.5, more: { protections } });
  world.resolve = () => undefined;
  prepare(world);
  world.start();
  while (world.time < 60) {
    world.run(0.1);
    if (world.snapshot.state === "synchronized") return world.time;
  }
  return Infinity;
}

const source = (mode: string, address: string) =>
  `[[source]]\nmode = "${mode}"\naddress = "${address}"\n`;

/** What three good sources take by themselves: two samples each, two seconds apart. */
const ALONE = 2.5;

Deno.test("three good sources alone", () => {
  assert.ok(timeToSet("") <= ALONE);
});

const WITHOUT_HOPE: readonly (readonly [string, string, ((world: EngineWorld) => void)?])[] = [
  ["a key exchange that is refused", source("nts", "nts.example.org"), (world) => {
    world.exchange = () => ({ result: err("Connection refused"), reason: "connection-refused" });
  }],
  ["key exchanges of a pool that are refused", source("nts-pool", "nts.example.org"), (world) => {
    world.exchange = () => ({ result: err("Connection refused"), reason: "connection-refused" });
  }],
  ["a second name of an address in use", source("server", "again.example.org"), (world) => {
    world.resolve = () => ["192.0.2.2"];
  }],
  ["a name that does not exist", source("server", "no.example.org")],
  ["a name that is blocked", source("server", "blocked.example.org"), (world) => {
    world.resolve = () => ["0.0.0.0", "::"];
  }],
  ["a pool with fewer addresses than wanted", source("pool", "pool.example.org"), (world) => {
    world.resolve = () => ["192.0.2.4", "192.0.2.5"];
  }],
  ["an address without route", source("server", "2001:db8::1"), (world) => {
    world.server("2001:db8::1").hasNoRoute = true;
  }],
  ["a server that denies service", source("server", "192.0.2.9"), (world) => {
    Object.assign(world.server("192.0.2.9"), {
      stratum: 0,
      leap: "unknown",
      referenceId: 0x44454e59,
    });
  }],
];

for (const [name, more, prepare] of WITHOUT_HOPE) {
  Deno.test(`the start does not wait for ${name}`, () => {
    const took = timeToSet(more, prepare);
    assert.ok(took <= ALONE, `${took} s`);
  });
}

Deno.test("a source that is not asked again soon is not waited for", () => {
  const took = timeToSet(`${source("server", "192.0.2.8")}iburst = false\n`);
  assert.ok(took <= ALONE, `${took} s`);
});

/** A hundred names that are looked up seven at a time. */
const NAMES = Array.from({ length: 100 }, (_, i) => source("server", `n${i}.example.org`)).join("");

for (const [what, seconds] of [["fail soon", 1], ["fail late", 5], ["hang", Infinity]] as const) {
  Deno.test(`the start does not wait for a hundred names whose look-ups ${what}`, () => {
    const took = timeToSet(NAMES, (world) => {
      world.resolver = { seconds, places: 7 };
    });
    assert.ok(took <= ALONE, `${took} s`);
  });
}

Deno.test("a source that may outvote others is waited for while its name is looked up", () => {
  const took = timeToSet(`${source("server", "slow.example.org")}trust = true\n`, (world) => {
    world.resolve = () => ["192.0.2.9"];
    world.resolver.seconds = 5;
  });
  assert.ok(took >= 7 && took <= 8, `${took} s`);
});

Deno.test("a look-up that has failed is not waited for again, however few have answered", () => {
  const two = [source("server", "192.0.2.1"), source("server", "192.0.2.2")].join("");
  const config = `[synchronization]\nminimum-agreeing-sources = 2\n${two}${NAMES}`;
  const world = new EngineWorld({ config, offset: 0.5 });
  world.resolve = () => undefined;
  world.resolver.seconds = 4;
  world.server("192.0.2.2").delay = 0.9;
  world.start().run(3.9);
  assert.equal(world.snapshot.state, "starting");
  world.run(0.2);
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("what hangs is waited for, within bounds", () => {
  const exchange = timeToSet(source("nts", "slow.example.org"), (world) => {
    world.exchange = () => "hangs";
  });
  assert.ok(exchange >= 7 && exchange <= 9, `${exchange} s for a key exchange`);
  // three requests of the burst
  const silent = timeToSet(source("server", "192.0.2.9"), (world) => {
    world.server("192.0.2.9").isSilent = true;
  });
  assert.ok(silent >= 3 && silent <= 5, `${silent} s for a silent server`);
});

Deno.test("a source that can answer soon has its say in the first decision", () => {
  const world = new EngineWorld({ offset: 0.5 });
  world.server("192.0.2.1").error = 1;
  world.server("192.0.2.3").delay = 1;
  world.start();
  world.run(20);
  assert.equal(world.source("192.0.2.1").status, "falseticker");
  assert.ok(Math.abs(world.offset) < 0.01);
});

Deno.test("after a start without a network the first decision waits for all who are asked then", () => {
  const config = `${THREE_SOURCES}[synchronization]\nminimum-agreeing-sources = 1\n`;
  // worlds in which the liar answers first
  for (const [hasNotice, seeds] of [[true, [26, 27, 32]], [false, [9, 22, 35]]] as const) {
    for (const seed of seeds) {
      const world = new EngineWorld({ config, offset: 3, seed });
      world.server(`192.0.2.${1 + seed % 3}`).error = 100;
      world.isOffline = true;
      world.start();
      world.run(700);
      world.isOffline = false;
      if (hasNotice) world.handle({ type: "network-changed" });
      world.run(120);
      const steps = world.commands.map(({ step }) => Math.round(step)).filter((step) => step !== 0);
      assert.deepEqual(steps, [3], `seed ${seed}`);
    }
  }
});
