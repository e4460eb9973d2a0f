/**
 * A process that does not get to run for long: stopped by a signal, frozen with its container,
 * starved.
 *
 * @module
 */
import assert from "node:assert/strict";
import { EngineWorld } from "../support/engine_world.ts";

const HOUR = 3600;

for (const hours of [1, 10, 1000]) {
  Deno.test(`a process stopped for ${hours} h measures anew within a minute, and serves no certainty in between`, () => {
    const world = new EngineWorld({ offset: 0.02, drift: 3e-6 }).start();
    world.run(2 * HOUR);
    assert.equal(world.snapshot.state, "synchronized");
    const before = world.engine.servedTime(world.now);
    assert.ok(before.synchronized);
    const received = world.source("192.0.2.1").received;
    world.halt(hours * HOUR);
    // What is asked before any event is handed in must bear the time that has passed.
    const served = world.engine.servedTime(world.now);
    const truth = Math.abs(world.offset);
    assert.ok(!served.synchronized || served.rootDispersion >= truth, `${truth} s off`);
    world.run(60);
    assert.ok(world.source("192.0.2.1").received > received);
    world.run(HOUR);
    assert.equal(world.snapshot.state, "synchronized");
    assert.ok(Math.abs(world.offset) < 1e-3, `${world.offset} s off`);
    assert.ok(!world.logs.some((line) => /internal|panic/.test(line)), world.logs.join("\n"));
  });

  Deno.test(`a process stopped for ${hours} h while others set the clock takes it back`, () => {
    const world = new EngineWorld().start();
    world.run(2 * HOUR);
    world.halt(hours * HOUR);
    world.stepFromOutside(-7);
    world.run(600);
    assert.ok(Math.abs(world.offset) < 1e-3, `${world.offset} s off`);
    assert.equal(world.snapshot.state, "synchronized");
  });
}
