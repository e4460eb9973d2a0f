import assert from "node:assert/strict";
import { configOf, EngineWorld, THREE_SOURCES } from "../../../tests/support/engine_world.ts";
import { referenceIdFromAscii } from "../../protocol/reference_id.ts";
import type { EngineSnapshot } from "./snapshot.ts";

/**
 * A document that readers can parse has no undefined, no NaN and no Infinity, which JSON would
 * change.
 */
function assertJson(snapshot: EngineSnapshot): void {
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
}

Deno.test("before anything is known, the document says so by null and by words", () => {
  const world = new EngineWorld().start();
  const { sources, ...system } = world.snapshot;
  assertJson(world.snapshot);
  assert.deepEqual(system, {
    state: "starting",
    adjusting: true,
    why: "No source has been measured yet",
    stratum: 16,
    leap: "unknown",
    referenceId: "INIT",
    referenceTime: null,
    offsetSeconds: null,
    frequencyPpm: 0,
    skewPpm: null,
    rootDelaySeconds: 0,
    rootDispersionSeconds: 0,
    errorBoundSeconds: null,
    updateIntervalSeconds: null,
    steps: { count: 0, accumulatedSeconds: 0 },
  });
  assert.deepEqual(sources[0], {
    name: "192.0.2.1",
    address: "192.0.2.1:123",
    mode: "server",
    status: "starting",
    reason: "Not measured yet",
    sendFailures: 0,
    reach: 0,
    stratum: null,
    referenceId: null,
    pollSeconds: 16,
    lastReplySecondsAgo: null,
    offsetSeconds: null,
    delaySeconds: null,
    dispersionSeconds: null,
    jitterSeconds: null,
    errorBoundSeconds: null,
    timestamping: null,
    measuredOffsetSeconds: null,
    authentication: "none",
    nts: null,
    sent: sources[0]?.sent,
    received: 0,
    dropped: {},
  });
});

Deno.test("a measured source has numbers in seconds, and names for people", () => {
  const world = new EngineWorld({ offset: 0.001, mayAdjust: false }).start();
  const server = world.server("192.0.2.2");
  server.stratum = 1;
  server.referenceId = referenceIdFromAscii("PPS");
  server.delay = 0.03;
  world.run(200);
  assertJson(world.snapshot);
  const source = world.source("192.0.2.2");
  assert.deepEqual([source.stratum, source.referenceId, source.timestamping], [1, "PPS", "kernel"]);
  assert.equal(source.reach, 0xff);
  assert.ok(Math.abs((source.offsetSeconds ?? NaN) - 0.001) < 1e-4);
  assert.ok(Math.abs((source.delaySeconds ?? NaN) - 0.03) < 1e-3);
  assert.ok((source.jitterSeconds ?? NaN) < 1e-4);
  // half of 30 ms and of the server's 2 ms, its 1 ms of dispersion, and a little of our own
  assert.ok(Math.abs((source.errorBoundSeconds ?? NaN) - 0.017) < 1e-3);
  const ago = source.lastReplySecondsAgo ?? NaN;
  assert.ok(ago >= 0 && ago <= source.pollSeconds, `${ago}`);
  assert.ok([16, 32, 64].includes(source.pollSeconds));
  assert.equal(source.sent, source.received);
});

Deno.test("dates are those of the local clock, in UTC", () => {
  const world = new EngineWorld().start();
  world.run(120);
  const { referenceTime, updateIntervalSeconds } = world.snapshot;
  // the world begins on 2026-02-10 at noon
  assert.match(referenceTime ?? "", /^2026-02-10T12:0[0-2]:\d\d\.\d+Z$/);
  assert.ok(updateIntervalSeconds !== null && updateIntervalSeconds >= 16);
});

Deno.test("a source without a server yet has a row that says what it waits for", () => {
  const config = `
    [[source]]
    mode = "pool"
    address = "pool.example.org"
    [[source]]
    mode = "server"
    address = "time.example.org"
    [[source]]
    mode = "server"
    address = "192.0.2.1"`;
  const world = new EngineWorld({ config }).start();
  const [pool, named, numeric] = world.snapshot.sources;
  for (const source of [pool, named]) {
    assert.deepEqual([source?.address, source?.status], [null, "starting"]);
    assert.equal(source?.reason, "The name is being looked up");
  }
  assert.equal(pool?.mode, "pool");
  assert.equal(numeric?.address, "192.0.2.1:123");
  const lookup = world.actions.find((action) =>
    action.type === "resolve" && action.host === "time.example.org"
  );
  assert.ok(lookup?.type === "resolve");
  const result = { ok: false, error: "The name does not exist" } as const;
  world.handle({ type: "resolved", lookup: lookup.lookup, result });
  const failed = world.source("time.example.org");
  assert.deepEqual([failed.status, failed.reason], ["unreachable", "The name does not exist"]);
  assertJson(world.snapshot);
});

Deno.test("a pool has a row for each member, under one name", () => {
  const config = `[[source]]\nmode = "pool"\naddress = "pool.example.org"\ncount = 2`;
  const world = new EngineWorld({ config }).start();
  const lookup = world.actions.find((action) => action.type === "resolve");
  assert.ok(lookup !== undefined);
  world.handle({
    type: "resolved",
    lookup: lookup.lookup,
    result: { ok: true, value: ["192.0.2.1", "192.0.2.2"] },
  });
  const rows = world.snapshot.sources.map(({ name, address }) => [name, address]);
  assert.deepEqual(rows.toSorted(), [
    ["pool.example.org", "192.0.2.1:123"],
    ["pool.example.org", "192.0.2.2:123"],
  ]);
});

Deno.test("what happened to packets and steps is counted", () => {
  const world = new EngineWorld({ offset: 2 }).start();
  world.run(200);
  const { steps } = world.snapshot;
  assert.equal(steps.count, 1);
  assert.ok(Math.abs(steps.accumulatedSeconds - 2) < 1e-3);
  world.server("192.0.2.3").leap = "unknown";
  world.run(200);
  const source = world.source("192.0.2.3");
  assert.equal(source.status, "unsynchronized");
  assert.ok((source.dropped["unsynchronized"] ?? 0) > 0);
});

Deno.test("a stratum that there is not is shown as 16, and nobody by digits", () => {
  for (const stratum of [0, 16, 17, 129, 255]) {
    const world = new EngineWorld().start();
    Object.assign(world.server("192.0.2.1"), { stratum, referenceId: 0 });
    world.run(60);
    const source = world.source("192.0.2.1");
    assert.deepEqual([source.status, source.stratum], ["unsynchronized", 16]);
    assert.match(source.referenceId ?? "", /^0{8}$|^0\.0\.0\.0$/);
  }
});

Deno.test("a clock that may be wrong by much is not called synchronised", () => {
  const world = new EngineWorld({
    config: `${THREE_SOURCES}[synchronization]\nstep-limit = 0`,
    offset: 20,
  }).start();
  world.run(60);
  const { state, why: reason, stratum, leap, referenceId, offsetSeconds } = world.snapshot;
  assert.deepEqual([state, stratum, leap, referenceId], ["unsynchronized", 16, "unknown", "INIT"]);
  assert.match(
    reason,
    /^The clock may be wrong by \d+\.\d{3} s while the offset is being corrected$/,
  );
  assert.ok(Math.abs((offsetSeconds ?? NaN) - world.offset) < 0.1);
  world.run(1200);
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("a source that is taken away has no row", () => {
  const world = new EngineWorld().start();
  world.run(100);
  const config = configOf(`[[source]]\nmode = "server"\naddress = "192.0.2.2"`);
  world.handle({ type: "reconfigure", config });
  assert.deepEqual(world.snapshot.sources.map(({ name }) => name), ["192.0.2.2"]);
  assertJson(world.snapshot);
});

Deno.test("why there is no time has the reasons that the sources themselves have", () => {
  const world = new EngineWorld().start();
  world.run(100);
  for (const n of [1, 2, 3]) world.server(`192.0.2.${n}`).hasNoRoute = true;
  world.run(1000);
  const { why: reason, sources: [first] } = world.snapshot;
  assert.equal(first?.reason, "Network is unreachable");
  assert.equal(reason, `No source is usable: 192.0.2.1 and 2 more: ${first.reason}`);
});

Deno.test("a start at which no name has an address says so, and does not wait for what cannot come", () => {
  const config = ["one.example", "two.example"].map((address) =>
    `[[source]]\nmode = "server"\naddress = "${address}"\n`
  ).join("");
  const world = new EngineWorld({ config });
  world.resolve = () => undefined;
  world.start().run(30);
  const { state, why: reason, sources: [first] } = world.snapshot;
  assert.equal(state, "starting");
  assert.equal(first?.status, "unreachable");
  assert.equal(reason, `No source is usable: one.example and 1 more: ${first.reason}`);
});
