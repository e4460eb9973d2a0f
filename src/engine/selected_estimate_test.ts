import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { configOf, EngineWorld } from "../../tests/support/engine_world.ts";
import { referenceIdFromAscii } from "../protocol/reference_id.ts";
import type { Action, Event } from "./events.ts";
import { isTimeKnown } from "./status/snapshot.ts";

const [ONE, TWO, THREE] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;

/**
 * A world in which after every event a source that is selected comes with an estimate, and a time
 * that is followed with a source.
 */
class WatchedWorld extends EngineWorld {
  override handle(event: Event): readonly Action[] {
    const actions = super.handle(event);
    const { sources, offsetSeconds, state, stratum } = this.snapshot;
    const isFollowed = sources.some(({ status }) => status === "selected");
    assert.ok(isFollowed || state !== "synchronized", `after ${event.type}`);
    assert.equal(stratum < 16, isTimeKnown(state), `${state}, stratum ${stratum}`);
    if (isFollowed) {
      assert.notEqual(offsetSeconds, null, `after ${event.type}`);
      assert.notEqual(state, "starting", `after ${event.type}`);
    }
    return actions;
  }
}

Deno.test("the first decision makes an estimate when the newest measurement is of a source that is not believed", () => {
  const world = new WatchedWorld();
  world.server(ONE).delay = 0.001;
  world.server(TWO).delay = 0.001;
  Object.assign(world.server(THREE), { delay: 0.4, error: 7 });
  world.start().run(60);
  assert.equal(world.source(THREE).status, "falseticker");
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("a reference that is given up is followed no more, at once", () => {
  const world = new WatchedWorld({
    config: `[[source]]\nmode = "pool"\naddress = "pool.example"\ncount = 3`,
  });
  world.resolve = () => [ONE, TWO, THREE];
  world.start().run(200);
  for (let i = 0; i < 2; i++) {
    const reference = world.snapshot.sources.find(({ status }) => status === "selected");
    const server = world.server(reference?.address?.replace(/:\d+$/, "") ?? "");
    Object.assign(server, { stratum: 0, referenceId: referenceIdFromAscii("DENY") });
    world.run(3000);
  }
});

Deno.test("a time that nobody estimates has no stratum", () => {
  const world = new WatchedWorld().start();
  world.run(200);
  const config = configOf(
    `[[source]]\nmode = "server"\naddress = "192.0.2.9"\n` +
      '[[source]]\nmode = "server"\naddress = "192.0.2.10"\n' +
      "[synchronization]\nminimum-agreeing-sources = 2",
  );
  world.server("192.0.2.10").isSilent = true;
  world.handle({ type: "reconfigure", config });
  world.run(100);
  world.handle({ type: "drift-loaded", frequency: 1, skew: 1 });
  assert.equal(world.snapshot.stratum, 16);
});

/** One world after three hours, in which every source is off by so many milliseconds. */
function apart(errors: readonly number[], queues: readonly number[], more = ""): EngineWorld {
  const addresses = errors.map((_, i) => `192.0.2.${i + 1}`);
  const config = addresses.map((address) =>
    `[[source]]\nmode = "server"\naddress = "${address}"\n`
  );
  const world = new EngineWorld({ config: config.join("") + more, drift: 5e-6 });
  for (const [i, address] of addresses.entries()) {
    Object.assign(world.server(address), {
      ...{ delay: 0.01, error: (errors[i] ?? 0) / 1000, queue: (queues[i] ?? 0) / 1000 },
    });
  }
  world.start().run(10_800);
  return world;
}

Deno.test("where claims only just overlap the clock is kept in between, and its rate steady", () => {
  for (
    const [errors, queues] of [
      [[-6, 6], [0.1, 20]],
      [[-6.5, 6.5], [0.1, 20]],
      [[-7, 7], [0.1, 20]],
      [[-6, 6], [2, 2]],
      [[-6, -6, 6, 6], [0.1, 0.1, 10, 10]],
      [[-6, -6, 6, 6], [1, 1, 1, 1]],
    ] as const
  ) {
    const world = apart(errors, queues);
    const rates: number[] = [];
    // a claim is as wide as half the delay, and what the server and the clock may be off by
    const most = 0.0108 - Math.abs(errors[0]) / 1000;
    for (let i = 0; i < 200; i++) {
      world.run(20);
      rates.push(world.commands.at(-1)?.frequency ?? NaN);
      assert.ok(Math.abs(world.offset) < most, `${errors}: the clock is off by ${world.offset}`);
    }
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const square = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
    assert.ok(Math.sqrt(square) < 0.3, `${errors}: the rate varies by ${Math.sqrt(square)} ppm`);
  }
});

Deno.test("where claims barely touch the clock stays where it was when its filter is made anew", () => {
  const config = "[source-defaults]\npoll-interval-limits = { min = 4, max = 4 }\n";
  for (const errors of [[-7, -7, -7, 7, 7, 7], [-6, -6, -6, 6, 6, 6]]) {
    const world = apart(errors, errors.map(() => 1), config);
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < 200; i++) {
      world.run(20);
      low = Math.min(low, world.offset);
      high = Math.max(high, world.offset);
    }
    assert.ok(high - low < 0.001, `${errors}: the clock went from ${low} to ${high}`);
  }
});

Deno.test("no source is selected without an estimate, whatever makes the engine decide", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(
        fc.record({
          after: fc.double({ min: 0, max: 40, noNaN: true }),
          what: fc.constantFrom("own", "step", "sleep", "silent", "wrong", "lost", "good"),
          who: fc.constantFrom(ONE, TWO, THREE),
        }),
        { maxLength: 12 },
      ),
      (seed, changes) => {
        const world = new WatchedWorld({ seed, offset: 0.3 });
        world.server(THREE).error = seed % 2;
        world.start();
        for (const { after, what, who } of changes) {
          world.run(after);
          const server = world.server(who);
          if (what === "own") world.handle({ type: "own-addresses", addresses: [who] });
          if (what === "step") world.stepFromOutside(3);
          if (what === "sleep") world.handle({ type: "resumed", asleep: 100 });
          if (what === "silent") server.isSilent = true;
          if (what === "wrong") server.error = 5;
          if (what === "lost") server.leap = "unknown";
          if (what === "good") Object.assign(server, { isSilent: false, error: 0, leap: "none" });
        }
        world.run(600);
      },
    ),
    { numRuns: 60 },
  );
});
