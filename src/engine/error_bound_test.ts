/**
 * What is said of the error, of a source and of ourselves, holds, and one thing has one bound
 * wherever it is told.
 */
import assert from "node:assert/strict";
import { EngineWorld, THREE_SOURCES } from "../../tests/support/engine_world.ts";
import type { FakeServer } from "../../tests/support/fake_server.ts";

const ADDRESSES = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;
const ONE_OF_THREE = `${THREE_SOURCES}
[synchronization]
minimum-agreeing-sources = 1
`;

/** Runs a world whose servers all have the same ways. */
function worldOf(ways: Partial<FakeServer>, seconds = 300): EngineWorld {
  const world = new EngineWorld({ config: ONE_OF_THREE, offset: 0.02 });
  for (const address of ADDRESSES) Object.assign(world.server(address), ways);
  world.start().run(seconds);
  return world;
}

/** What the root distance must have in it. */
function least({ rootDelay, rootDispersion, precision, delay }: FakeServer): number {
  return (rootDelay + delay) / 2 + rootDispersion + 2 ** precision;
}

Deno.test("a source's bound has precision, root delay, root dispersion and the smallest delay in it", () => {
  const worlds: readonly Partial<FakeServer>[] = [
    {},
    { precision: 0, isCoarse: true, rootDispersion: 1e-4, rootDelay: 0 },
    { precision: -6, isCoarse: true },
    { delay: 0.002, queue: 0.05 },
    { delay: 1e-6, rootDispersion: 1 },
    { delay: 0.3, rootDelay: 1 },
  ];
  for (const ways of worlds) {
    const world = worldOf(ways);
    const what = JSON.stringify(ways);
    for (const address of ADDRESSES) {
      const server = world.server(address);
      const { errorBoundSeconds, offsetSeconds, delaySeconds } = world.source(address);
      assert.ok(errorBoundSeconds !== null && offsetSeconds !== null && delaySeconds !== null);
      // the short format of the wire keeps 15 us
      assert.ok(errorBoundSeconds >= least(server) - 5e-5, `${what}: ${errorBoundSeconds}`);
      const error = Math.abs(offsetSeconds - world.offset);
      assert.ok(error <= errorBoundSeconds, `${what}: ${error} is beyond ${errorBoundSeconds}`);
      if (!server.isCoarse) {
        assert.ok(delaySeconds >= server.delay - 1e-7, `${what}: a shorter way`);
      }
    }
  }
});

Deno.test("what is served is not better than what was measured", () => {
  for (const ways of [{ delay: 0.002, queue: 0.05 }, { precision: -6, isCoarse: true }]) {
    const world = worldOf(ways);
    const served = world.engine.servedTime(world.now);
    assert.ok(served.synchronized);
    const { delay, rootDelay, rootDispersion, precision } = world.server(ADDRESSES[0]);
    assert.ok(served.rootDelay >= rootDelay + delay - 5e-5, `${served.rootDelay}`);
    assert.ok(served.rootDispersion >= rootDispersion + 2 ** precision - 5e-5);
    const { errorBoundSeconds } = world.snapshot;
    assert.ok(errorBoundSeconds !== null && errorBoundSeconds >= Math.abs(world.offset));
    const told = served.rootDelay / 2 + served.rootDispersion;
    assert.ok(Math.abs(errorBoundSeconds - told) < 1e-15, `${errorBoundSeconds} is not ${told}`);
  }
});

Deno.test("the bound covers what two sources that agree differ by", () => {
  const world = new EngineWorld({ config: THREE_SOURCES, offset: 0.02 });
  Object.assign(world.server(ADDRESSES[0]), { delay: 0.001, rootDelay: 0, error: 0.003 });
  Object.assign(world.server(ADDRESSES[0]), { rootDispersion: 0 });
  Object.assign(world.server(ADDRESSES[1]), { delay: 0.02 });
  world.server(ADDRESSES[2]).isSilent = true;
  world.start().run(600);
  assert.ok(Math.abs(world.offset) > 0.002, "the nearer one is followed, which is wrong");
  const { errorBoundSeconds } = world.snapshot;
  assert.ok((errorBoundSeconds ?? 0) >= Math.abs(world.offset), `${errorBoundSeconds}`);
});

Deno.test("one source has one bound in one document", () => {
  const world = worldOf({ queue: 0.004 });
  world.run(1000);
  const selected = world.snapshot.sources.find(({ status }) => status === "selected");
  // the sentence was written at the last measurement, the number is of now
  const told = /error bound ([0-9.]+) ms/.exec(selected?.reason ?? "")?.[1];
  assert.ok(told !== undefined && selected?.errorBoundSeconds !== null);
  assert.ok(Math.abs(Number(told) * 1e-3 / (selected?.errorBoundSeconds ?? NaN) - 1) < 0.05);
});

Deno.test("a source of the last stratum is not followed, so that we are never of stratum 16 and synchronised", () => {
  const world = worldOf({ stratum: 15 }, 60);
  assert.equal(world.source(ADDRESSES[0]).status, "distant");
  assert.deepEqual(world.engine.servedTime(world.now), { synchronized: false });
  world.server(ADDRESSES[1]).stratum = 14;
  world.run(300);
  assert.equal(world.source(ADDRESSES[1]).status, "selected");
  const served = world.engine.servedTime(world.now);
  assert.ok(served.synchronized && served.stratum === 15);
  world.server(ADDRESSES[1]).stratum = 15;
  world.run(2000);
  const after = world.engine.servedTime(world.now);
  assert.ok(!after.synchronized || after.stratum < 16);
});
