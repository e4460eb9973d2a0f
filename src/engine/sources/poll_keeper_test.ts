import assert from "node:assert/strict";
import { configOf, EngineWorld } from "../../../tests/support/engine_world.ts";

const [ONE, TWO, THREE] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;

Deno.test("a calm clock is asked about ever more rarely", () => {
  const world = new EngineWorld().start();
  for (const address of [ONE, TWO, THREE]) world.server(address).delay = 0.05;
  assert.equal(world.source(ONE).pollSeconds, 16);
  world.run(20_000);
  assert.ok(world.source(ONE).pollSeconds >= 256);
  assert.ok((world.snapshot.updateIntervalSeconds ?? 0) >= 256);
});

Deno.test("the limits of the configuration hold", () => {
  const config = [ONE, TWO, THREE].map((address) =>
    `[[source]]
     mode = "server"
     address = "${address}"
     initial-poll-interval = 5
     poll-interval-limits = { min = 5, max = 7 }
     `
  ).join("");
  const world = new EngineWorld({ config }).start();
  const seen = new Set<number>();
  for (let i = 0; i < 100; i++) {
    world.run(100);
    seen.add(world.source(TWO).pollSeconds);
  }
  assert.ok(Math.min(...seen) >= 32);
  assert.equal(Math.max(...seen), 128);
  const wider = configOf(config.replaceAll("max = 7", "max = 6"));
  world.handle({ type: "reconfigure", config: wider });
  world.run(300);
  assert.equal(world.source(TWO).pollSeconds, 64);
});

Deno.test("a server that gives no time is asked half as often after every eight requests", () => {
  const world = new EngineWorld().start();
  world.server(TWO).isSilent = true;
  world.server(THREE).leap = "unknown";
  world.run(30_000);
  for (const address of [TWO, THREE]) {
    const { pollSeconds, sent } = world.source(address);
    assert.equal(pollSeconds, 1024, address);
    // eight each at 16, 32, ... 512 s take 8064 s
    assert.ok(sent > 48 && sent < 100, `${address}: ${sent}`);
  }
});

Deno.test("a falseticker is asked rarely", () => {
  const world = new EngineWorld().start();
  world.server(TWO).error = 0.3;
  world.run(10_000);
  assert.equal(world.source(TWO).status, "falseticker");
  assert.equal(world.source(TWO).pollSeconds, 1024);
});

Deno.test("a clock that begins to drift is asked about more often", () => {
  const world = new EngineWorld().start();
  world.run(20_000);
  const before = world.source(ONE).pollSeconds;
  let fastest = before;
  for (let i = 0; i < 60; i++) {
    world.drift += (i % 20 < 10 ? 1 : -1) * 2e-6;
    world.run(100);
    fastest = Math.min(fastest, world.source(ONE).pollSeconds);
  }
  assert.ok(fastest <= before / 4, `${before} s, then ${fastest} s`);
});
