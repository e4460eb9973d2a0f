import assert from "node:assert/strict";
import {
  configOf,
  EngineWorld,
  PLAIN_DAY,
  THREE_SOURCES,
} from "../../tests/support/engine_world.ts";
import { ok } from "../base/result.ts";
import type { Event } from "./events.ts";

const [ONE, TWO, THREE] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;

function assertNear(actual: number | null | undefined, expected: number, within: number): void {
  const isNear = typeof actual === "number" && Math.abs(actual - expected) <= within;
  assert.ok(isNear, `${actual} instead of ${expected}`);
}

Deno.test("at the start the kernel hears that nothing is known, and every source is asked", () => {
  const world = new EngineWorld().start();
  assert.equal(world.commands.length, 1);
  assert.deepEqual(world.commands[0]?.status, {
    synchronized: false,
    leap: "unknown",
    maxError: 16,
    estimatedError: 16,
    taiOffset: undefined,
  });
  assert.deepEqual([world.commands[0]?.frequency, world.commands[0]?.step], [0, 0]);
  const { state, why: reason, stratum, leap, referenceId } = world.snapshot;
  assert.deepEqual([state, stratum, leap, referenceId], ["starting", 16, "unknown", "INIT"]);
  assert.equal(reason, "No source has been measured yet");
  assert.deepEqual(world.engine.servedTime(world.now), { synchronized: false });
  world.run(3);
  assert.deepEqual(world.snapshot.sources.map(({ sent }) => sent > 0), [true, true, true]);
});

Deno.test("a small offset and a drift are found, slewed out and kept away", () => {
  const world = new EngineWorld({ offset: 0.05, drift: -30e-6 }).start();
  world.run(1800);
  assertNear(world.offset, 0, 2e-5);
  const { state, why: reason, frequencyPpm, steps, offsetSeconds } = world.snapshot;
  assert.deepEqual([state, reason, steps.count], ["synchronized", "", 0]);
  assertNear(frequencyPpm, 30, 0.1);
  assertNear(offsetSeconds, world.offset, 2e-5);
  assert.equal(world.commands.at(-1)?.status.synchronized, true);
});

Deno.test("a large offset is stepped once, and what was measured before stays right", () => {
  const world = new EngineWorld({ offset: -1000, drift: 10e-6 }).start();
  world.run(120);
  assertNear(world.offset, 0, 1e-3);
  assert.equal(world.snapshot.steps.count, 1);
  assertNear(world.snapshot.steps.accumulatedSeconds, 1000, 0.01);
  assert.equal(world.logs.filter((line) => line.includes("is stepped by -1000.00")).length, 1);
  assert.equal(world.logs.filter((line) => line.includes("stepped from outside")).length, 0);
});

Deno.test("a request that is under way when the clock is stepped is void", () => {
  const world = new EngineWorld().start();
  for (const address of [ONE, TWO, THREE]) world.server(address).delay = 1.9;
  world.run(60);
  const sent = () => world.source(ONE).sent;
  for (const before = sent(); sent() === before;) world.run(0.5);
  world.stepFromOutside(0.5);
  world.handle({ type: "clock-set", result: ok({ frequency: 0, step: 0.5 }) });
  world.run(5);
  for (const address of [ONE, TWO, THREE]) {
    const { jitterSeconds, offsetSeconds } = world.source(address);
    assert.ok((jitterSeconds ?? NaN) < 1e-3, `${address}: jitter ${jitterSeconds} s`);
    assertNear(offsetSeconds, world.offset, 1e-3);
  }
});

Deno.test("what is served is what the snapshot says, one stratum below the reference", () => {
  const world = new EngineWorld().start();
  for (const address of [ONE, TWO, THREE]) world.server(address).stratum = 4;
  world.run(300);
  const { snapshot } = world;
  const served = world.engine.servedTime(world.now);
  assert.ok(served.synchronized);
  assert.deepEqual([served.stratum, snapshot.stratum, served.leapIndicator], [5, 5, 0]);
  assert.equal(served.rootDelay, snapshot.rootDelaySeconds);
  assert.equal(served.rootDispersion, snapshot.rootDispersionSeconds);
  // the server's 2 ms and 10 ms of path
  assertNear(served.rootDelay, 0.012, 1e-3);
  assert.ok(served.rootDispersion > 0.001 && served.rootDispersion < 0.01);
  assert.ok(served.dispersionRate >= 1e-7);
});

Deno.test("a liar among three is named, and has no pull", () => {
  const world = new EngineWorld().start();
  world.server(TWO).error = 0.5;
  world.run(300);
  assert.equal(world.source(TWO).status, "falseticker");
  assertNear(world.offset, 0, 1e-3);
  assertNear(world.source(TWO).offsetSeconds, 0.5, 1e-3);
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("when all sources are lost the clock is held over, and says how wrong it may be", () => {
  const world = new EngineWorld({ drift: -30e-6 }).start();
  world.run(1800);
  for (const address of [ONE, TWO, THREE]) world.server(address).isSilent = true;
  world.run(40_000);
  const early = world.snapshot;
  assert.equal(early.state, "holdover");
  assert.match(early.why, /^[A-Z].*[^.]$/);
  assert.deepEqual(early.sources.map(({ status }) => status), Array(3).fill("unreachable"));
  assert.ok(world.engine.servedTime(world.now).synchronized);
  assertNear(world.offset, 0, early.errorBoundSeconds ?? 0);
  world.run(40_000);
  assert.ok((world.snapshot.errorBoundSeconds ?? 0) > (early.errorBoundSeconds ?? 0));
  assert.equal(world.commands.at(-1)?.status.synchronized, true);
  for (const address of [ONE, TWO, THREE]) world.server(address).isSilent = false;
  world.run(3000);
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("an offset beyond the panic threshold is not followed: the daemon is told to end", () => {
  const config = `${THREE_SOURCES}
    [synchronization]
    single-step-panic-threshold = "10s"
    startup-step-panic-threshold = "10s"`;
  const world = new EngineWorld({ config, offset: 60 }).start();
  world.run(60);
  assert.match(
    world.panic ?? "",
    /^The clock is 60\.\d{3} s .* startup-step-panic-threshold of 10 s;/,
  );
  assertNear(world.offset, 60, 1e-3);
  world.handle({ type: "stop" });
  assert.equal(world.commands.at(-1)?.status.synchronized, false);
  assert.deepEqual(world.actions.filter(({ type }) => type === "save-drift"), []);
});

Deno.test("a clock that is only measured is left alone, and its error is told", () => {
  const more = { notAdjustedReason: "--no-adjust is set" };
  const world = new EngineWorld({ offset: 0.02, mayAdjust: false, more }).start();
  world.run(600);
  assert.deepEqual(world.commands, []);
  const { state, why: reason, adjusting, offsetSeconds } = world.snapshot;
  assert.deepEqual([state, adjusting], ["monitoring", false]);
  assert.equal(reason, "The clock is measured, not adjusted: --no-adjust is set");
  assertNear(offsetSeconds, 0.02, 1e-3);
});

Deno.test("a clock that is only measured and is far off is said to be so, and why, until others set it", () => {
  const more = { notAdjustedReason: "--no-adjust is set" };
  const world = new EngineWorld({ offset: 2000, mayAdjust: false, more }).start();
  world.run(600);
  const { state, why: reason } = world.snapshot;
  assert.equal(state, "unsynchronized");
  assert.match(
    reason,
    /^The clock is 2000\.\d{3} s behind what .* and is not adjusted: --no-adjust is set$/,
  );
  const told = () => world.logs.filter((line) => /The clock is .* what the sources/.test(line));
  assert.equal(told().length, 1);
  assert.match(
    told()[0] ?? "",
    /^warning: The clock is 2000\.\d{3} s behind what the sources agree on, and is not adjusted$/,
  );
  world.stepFromOutside(2000);
  world.run(600);
  assert.equal(world.snapshot.state, "monitoring");
  assert.equal(told().length, 2);
  assert.match(told()[1] ?? "", /^info: The clock is near the right time again: 0\.00\d s /);
});

Deno.test("a step from outside is noticed at the next event, and mended", () => {
  const world = new EngineWorld({ drift: -30e-6 }).start();
  world.run(1800);
  const { frequencyPpm } = world.snapshot;
  world.stepFromOutside(2);
  world.handle({ type: "timer" });
  const line = world.logs.at(-1) ?? "";
  assert.equal(
    line,
    "warning: The clock was stepped from outside by 2.000000 s: the sources are measured again",
  );
  const { state, why: reason, stratum, referenceTime, offsetSeconds } = world.snapshot;
  assert.deepEqual([state, reason], [
    "starting",
    "The clock was stepped from outside by 2.000000 s",
  ]);
  assert.deepEqual([stratum, referenceTime, offsetSeconds], [16, null, null]);
  assert.equal(world.commands.at(-1)?.status.synchronized, false);
  world.run(120);
  assertNear(world.offset, 0, 1e-3);
  assert.equal(world.snapshot.state, "synchronized");
  assertNear(world.snapshot.frequencyPpm, frequencyPpm, 2);
  // and only once
  assert.equal(world.logs.filter((text) => text.includes("stepped from outside")).length, 1);
});

Deno.test("after a disturbance the first that answers is not believed alone", () => {
  const config = `${THREE_SOURCES}[synchronization]\nminimum-agreeing-sources = 1`;
  const world = new EngineWorld({ config }).start();
  world.run(600);
  world.stepFromOutside(2);
  world.server(ONE).error = 1;
  for (const address of [TWO, THREE]) world.server(address).isSilent = true;
  world.handle({ type: "timer" });
  const { length } = world.commands;
  world.run(3);
  assert.notEqual(world.source(ONE).offsetSeconds, null);
  for (const address of [TWO, THREE]) world.server(address).isSilent = false;
  world.run(120);
  const steps = world.commands.slice(length).map(({ step }) => step).filter((step) => step !== 0);
  assert.equal(steps.length, 1);
  assertNear(steps[0], -2, 1e-3);
  assert.equal(world.source(ONE).status, "falseticker");
});

Deno.test("after a suspension the sources are measured again, and a step is allowed", () => {
  const world = new EngineWorld().start();
  world.run(600);
  world.stepFromOutside(-3);
  world.handle({ type: "resumed", asleep: 3600 });
  world.run(120);
  assert.ok(world.logs.some((line) => line.includes("The machine was suspended for 3600 s")));
  assert.equal(world.snapshot.steps.count, 1);
  assertNear(world.offset, 0, 1e-3);
});

Deno.test("a slew does not go on for ever when the clock was changed and no source answers any more", () => {
  for (const happens of ["a step", "a suspension"]) {
    const config = "[synchronization]\nstep-limit = 0\n" + THREE_SOURCES;
    const world = new EngineWorld({ config, offset: 100 }).start();
    world.run(60);
    world.isOffline = true;
    if (happens === "a step") world.stepFromOutside(-1);
    else world.sleep(100);
    // a step is noticed at the next event
    world.run(15);
    const { offset } = world;
    assert.ok(offset > 80, `${offset}`);
    world.run(3600);
    assertNear(world.offset, offset, 1e-3);
  }
});

Deno.test("a machine that stood still is stepped when most sources confirm its hardware clock", () => {
  const world = new EngineWorld().start();
  world.run(600);
  for (const address of [ONE, TWO, THREE]) world.server(address).error = 3600;
  world.handle({ type: "standstill-suspected", missing: 3600 });
  world.run(120);
  assert.ok(world.logs.some((line) => line.includes("The machine stood still for 3600 s")));
  const steps = world.commands.map(({ step }) => step).filter((step) => step !== 0);
  assertNear(steps.at(-1), 3600, 0.01);
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("a hardware clock that somebody set changes nothing", () => {
  const world = new EngineWorld().start();
  world.run(600);
  world.handle({ type: "standstill-suspected", missing: 7200 });
  for (let i = 0; i < 60; i++) {
    world.run(2);
    assert.equal(world.snapshot.state, "synchronized");
  }
  assert.ok(!world.logs.some((line) => line.includes("stood still")));
  assert.equal(world.commands.filter(({ step }) => step !== 0).length, 0);
});

Deno.test("a leap second is announced to the kernel on its day only, and its step is no disturbance", () => {
  // 2026-06-30, half an hour before midnight
  const lastDay = PLAIN_DAY + 140 * 86_400;
  const world = new EngineWorld({ start: lastDay + 86_400 - 1800 }).start();
  for (const address of [ONE, TWO, THREE]) world.server(address).leap = "insert";
  world.run(900);
  assert.equal(world.snapshot.leap, "insert");
  const served = world.engine.servedTime(world.now);
  assert.ok(served.synchronized && served.leapIndicator === 1);
  assert.equal(world.commands.at(-1)?.status.leap, "insert");
  world.run(900);
  // the kernel repeats the last second; so does true time
  for (const address of [ONE, TWO, THREE]) {
    world.server(address).leap = "none";
    world.server(address).error = -1;
  }
  world.stepFromOutside(-1);
  world.run(600);
  assert.deepEqual(world.logs.filter((line) => line.includes("leap")), [
    "info: A leap second was inserted",
  ]);
  assert.equal(world.logs.some((line) => line.includes("stepped from outside")), false);
  assert.equal(world.snapshot.leap, "none");
  assertNear(world.offset, 1, 1e-3);
  assert.equal(world.snapshot.steps.count, 0);
});

Deno.test("a leap second is not told to the kernel before its day", () => {
  const world = new EngineWorld({ start: PLAIN_DAY + 130 * 86_400 }).start();
  for (const address of [ONE, TWO, THREE]) world.server(address).leap = "insert";
  world.run(600);
  assert.equal(world.commands.at(-1)?.status.leap, "none");
});

Deno.test("reconfiguring keeps what is known of the sources that stay", () => {
  const world = new EngineWorld().start();
  world.run(900);
  const before = world.source(TWO);
  const config = configOf(`
    [[source]]
    mode = "server"
    address = "192.0.2.2"
    [[source]]
    mode = "server"
    address = "192.0.2.9"`);
  world.handle({ type: "reconfigure", config });
  assert.deepEqual(world.snapshot.sources.map(({ name }) => name), [TWO, "192.0.2.9"]);
  const after = world.source(TWO);
  assert.deepEqual([after.sent, after.reach], [before.sent, before.reach]);
  assertNear(after.offsetSeconds, before.offsetSeconds ?? NaN, 1e-9);
  assert.equal(world.source("192.0.2.9").sent <= 1, true);
  world.run(300);
  assert.equal(world.snapshot.state, "synchronized");
  assert.notEqual(world.source("192.0.2.9").offsetSeconds, null);
  assertNear(world.offset, 0, 1e-4);
});

Deno.test("a frequency that was saved is used at once", () => {
  const world = new EngineWorld({ drift: -40e-6 });
  world.handle({ type: "drift-loaded", frequency: 40, skew: 0.1 });
  assertNear(world.commands.at(-1)?.frequency, 40, 1e-9);
  world.start();
  world.run(30);
  assertNear(world.snapshot.frequencyPpm, 40, 1);
});

Deno.test("the frequency is saved when it is good, and once more at the end", () => {
  const world = new EngineWorld({ drift: -40e-6 }).start();
  world.run(4000);
  const saved = world.actions.filter((action) => action.type === "save-drift");
  assert.ok(saved.length >= 1 && saved.length <= 2, `${saved.length}`);
  assertNear(saved[0]?.frequency, 40, 1);
  world.handle({ type: "stop" });
  const last = world.actions.filter((action) => action.type === "save-drift").at(-1);
  assertNear(last?.frequency, 40, 0.1);
  assertNear(world.commands.at(-1)?.frequency, 40, 0.1);
});

Deno.test("events about what nobody knows are harmless", () => {
  const world = new EngineWorld().start();
  world.run(300);
  const before = world.snapshot;
  const { realtime } = world.now;
  const strange: readonly Event[] = [
    { type: "send-failed", association: 99, request: 99, reason: "Nobody is there" },
    { type: "resolved", lookup: 99, result: ok(["192.0.2.77"]) },
    { type: "keys-exchanged", association: 99, result: { ok: false, error: "refused" } },
    { type: "certificates-verified", results: [{ association: 99, reason: "expired" }] },
    {
      type: "datagram",
      association: 99,
      request: 99,
      packet: new Uint8Array(48),
      transmitTimestamp: realtime,
      transmitTimestamping: "user",
      receiveTimestamp: realtime,
      receiveTimestamping: "user",
    },
  ];
  for (const event of strange) assert.deepEqual(world.handle(event), [], event.type);
  assert.deepEqual(world.snapshot, before);
});

Deno.test("garbage on a socket of ours is counted, and asks for nothing", () => {
  const world = new EngineWorld().start();
  for (const address of [ONE, TWO, THREE]) world.server(address).isSilent = true;
  world.run(1);
  const { realtime } = world.now;
  const actions = world.handle({
    type: "datagram",
    association: 1,
    request: 1,
    packet: new Uint8Array(7),
    transmitTimestamp: realtime,
    transmitTimestamping: "user",
    receiveTimestamp: realtime,
    receiveTimestamping: "user",
  });
  assert.deepEqual(actions.filter(({ type }) => type !== "close"), []);
  const { dropped, received, offsetSeconds } = world.source(ONE);
  assert.deepEqual([dropped, received, offsetSeconds], [{ "too-short": 1 }, 1, null]);
});

Deno.test("a command that fails is told, and the engine goes on", () => {
  const world = new EngineWorld({ offset: 0.05 }).start();
  world.clockFailure = "clock_adjtime: EPERM";
  world.run(60);
  assert.ok(world.logs.includes("error: The clock could not be changed: clock_adjtime: EPERM"));
  assertNear(world.offset, 0.05, 1e-3);
  world.clockFailure = undefined;
  world.run(300);
  assertNear(world.offset, 0, 1e-3);
});

Deno.test("a run of ten seconds keeps what it has learned of the frequency", () => {
  const world = new EngineWorld({ drift: 12e-6 }).start();
  world.run(10);
  world.handle({ type: "stop" });
  const saved = world.actions.find((action) => action.type === "save-drift");
  assert.ok(saved?.type === "save-drift");
  assertNear(saved.frequency, -12, 4 * saved.skew);
  assert.ok(saved.skew > 1 && saved.skew < 25, `${saved.skew} ppm`);
});

Deno.test("two runs from one seed want the same things at the same times, octet by octet", () => {
  const journalOf = (seed: number) => {
    const world = new EngineWorld({ offset: 0.3, drift: -20e-6, seed }).start();
    world.server(THREE).error = 0.2;
    world.run(900);
    world.stepFromOutside(1);
    world.run(900);
    world.handle({ type: "stop" });
    return world.takeJournal().join("\n");
  };
  const journal = journalOf(5);
  assert.ok(journal.length > 10_000);
  assert.equal(journalOf(5), journal);
  assert.notEqual(journalOf(6), journal);
});

Deno.test("the next wakeup is never in the past for long, and never lost while sources are asked", () => {
  const world = new EngineWorld().start();
  for (let i = 0; i < 200; i++) {
    world.run(7);
    const wait = world.engine.nextWakeup() - world.now.monotonic;
    assert.ok(wait > -1e-6 && wait <= 64, `${wait} s`);
  }
});

Deno.test("the end is no loss of sources: nothing is told of them, and nothing is asked for any more", () => {
  for (const silent of [[], ["192.0.2.3"], ["192.0.2.1", "192.0.2.3"]]) {
    const world = new EngineWorld().start();
    for (const address of silent) world.server(address).isSilent = true;
    world.run(400);
    const told = world.logs.length;
    world.handle({ type: "stop" });
    world.handle({ type: "timer" });
    assert.deepEqual(world.logs.slice(told), [], `${silent} silent`);
  }
});
