import assert from "node:assert/strict";
import {
  configOf,
  EngineWorld,
  PLAIN_DAY,
  THREE_SOURCES,
} from "../../../tests/support/engine_world.ts";
import { referenceIdFromAscii, referenceIdOfAddress } from "../../protocol/reference_id.ts";

const [ONE, TWO, THREE] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;

function statuses(world: EngineWorld): Readonly<Record<string, string>> {
  return Object.fromEntries(world.snapshot.sources.map(({ name, status }) => [name, status]));
}

/** One of the sources is the reference, the others are combined with it. */
function assertAllBelieved(world: EngineWorld): void {
  const words = Object.values(statuses(world)).toSorted();
  assert.deepEqual(words, ["combined", "combined", "selected"]);
}

Deno.test("sources that agree are believed, one of them is the reference", () => {
  const world = new EngineWorld().start();
  world.server(THREE).stratum = 1;
  world.server(THREE).referenceId = referenceIdFromAscii("GPS");
  world.run(300);
  assertAllBelieved(world);
  const { stratum, referenceId, why: reason } = world.snapshot;
  assert.equal(world.source(THREE).status, "selected", "the lowest stratum");
  assert.deepEqual([stratum, referenceId, reason], [2, THREE, ""]);
  assert.equal(world.source(THREE).referenceId, "GPS");
  for (const { reason } of world.snapshot.sources) assert.match(reason, /^[A-Z].*[^.]$/);
  assert.deepEqual(world.logs.filter((line) => line.includes("reference")), [
    `info: The reference is now ${THREE}`,
  ]);
});

Deno.test("a source without samples is starting, and the gate waits for it a while", () => {
  const world = new EngineWorld().start();
  world.server(THREE).isSilent = true;
  world.run(1);
  assert.deepEqual(statuses(world), { [ONE]: "starting", [TWO]: "starting", [THREE]: "starting" });
  assert.equal(world.source(THREE).reason, "Not measured yet");
  world.run(60);
  assert.equal(world.source(THREE).status, "unreachable");
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("what cannot be followed is not, and the word says why", () => {
  const unfit: readonly [string, (world: EngineWorld) => void][] = [
    ["unsynchronized", (world) => world.server(TWO).leap = "unknown"],
    ["distant", (world) => world.server(TWO).rootDispersion = 3],
    ["falseticker", (world) => world.server(TWO).error = 0.1],
    ["unreachable", (world) => world.server(TWO).isSilent = true],
  ];
  for (const [word, change] of unfit) {
    const world = new EngineWorld().start();
    change(world);
    world.run(200);
    assert.equal(world.source(TWO).status, word);
    assert.match(world.source(TWO).reason, /^[A-Z].*[^.]$/);
    assert.equal(world.snapshot.state, "synchronized", word);
    assert.ok(Math.abs(world.offset) < 1e-3, word);
  }
});

Deno.test("a server that follows us is a loop", () => {
  const own = "192.0.2.200";
  const world = new EngineWorld({ ownAddresses: [own] }).start();
  world.server(TWO).referenceId = referenceIdOfAddress(own) ?? 0;
  world.run(200);
  assert.equal(world.source(TWO).status, "loop");
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("a source that is measured only is measured, and has no say", () => {
  const config = `${THREE_SOURCES}[[source]]
    mode = "server"
    address = "192.0.2.4"
    no-select = true`;
  const world = new EngineWorld({ config }).start();
  world.server("192.0.2.4").error = 0.25;
  world.run(200);
  const source = world.source("192.0.2.4");
  assert.equal(source.status, "no-select");
  assert.ok(Math.abs((source.offsetSeconds ?? NaN) - 0.25) < 1e-3);
  assert.ok(Math.abs(world.offset) < 1e-3);
});

Deno.test("two against two: nobody is believed, and the sentence says it", () => {
  const config = [1, 2, 3, 4]
    .map((i) => `[[source]]\nmode = "server"\naddress = "192.0.2.${i}"\n`).join("");
  const world = new EngineWorld({ config }).start();
  world.server(ONE).error = 0.2;
  world.server(TWO).error = 0.2;
  world.run(200);
  const { state, why: reason } = world.snapshot;
  assert.equal(state, "starting");
  assert.match(reason, /^[A-Z].*agree/);
  assert.ok(world.commands.every(({ step, status }) => step === 0 && !status.synchronized));
});

Deno.test("fewer sources than are to agree do not touch the clock", () => {
  const config = `${THREE_SOURCES}[synchronization]\nminimum-agreeing-sources = 3`;
  const world = new EngineWorld({ config, offset: 0.5 }).start();
  world.server(THREE).isSilent = true;
  world.run(200);
  assert.equal(world.snapshot.state, "starting");
  assert.deepEqual([world.source(ONE).status, world.source(TWO).status], [
    "candidate",
    "candidate",
  ]);
  assert.ok(Math.abs(world.offset - 0.5) < 1e-6);
  world.server(THREE).isSilent = false;
  world.run(1200);
  assertAllBelieved(world);
  assert.ok(Math.abs(world.offset) < 1e-3);
});

Deno.test("the reference is kept when it is lost with all others, and each change is told once", () => {
  const world = new EngineWorld().start();
  world.run(600);
  const { stratum } = world.snapshot;
  for (const address of [ONE, TWO, THREE]) world.server(address).isSilent = true;
  world.run(20_000);
  assert.equal(world.snapshot.state, "holdover");
  // they are found silent one after the other, so the last reference may be another than the first
  assert.ok([ONE, TWO, THREE].some((address) => address === world.snapshot.referenceId));
  assert.equal(world.snapshot.stratum, stratum);
  const lost = world.logs.filter((line) => /No time to follow|None of the/.test(line));
  assert.equal(lost.length, 1, lost.join("\n"));
  assert.match(lost[0] ?? "", /^warning: None of the 3 sources answers: /);
});

Deno.test("a reference that is lost is replaced by another that agrees", () => {
  const world = new EngineWorld().start();
  world.run(600);
  const { referenceId } = world.snapshot;
  world.server(referenceId).isSilent = true;
  world.run(20_000);
  const { snapshot } = world;
  assert.equal(snapshot.state, "synchronized");
  assert.notEqual(snapshot.referenceId, referenceId);
  assert.equal(world.source(referenceId).status, "unreachable");
});

Deno.test("where trusted sources agree they alone announce leap seconds, whoever is preferred", () => {
  const section = (address: string, more: string) =>
    `[[source]]\nmode = "server"\naddress = "${address}"\n${more}\n`;
  for (const more of ["", "prefer = true"]) {
    for (const trusted of ["none", "insert"] as const) {
      const config = section(ONE, "trust = true") + section(TWO, more) + section(THREE, more);
      const world = new EngineWorld({ config, start: PLAIN_DAY + 140 * 86_400 }).start();
      world.server(ONE).leap = trusted;
      for (const address of [TWO, THREE]) {
        world.server(address).leap = trusted === "none" ? "insert" : "none";
      }
      world.run(300);
      assert.equal(world.snapshot.state, "synchronized");
      assert.match(world.source(TWO).status, more === "" ? /^combined$/ : /^(selected|combined)$/);
      assert.equal(world.snapshot.leap, trusted);
    }
  }
});

Deno.test("a leap second is what the majority of those who are believed announces", () => {
  const leapAfter = (announcing: readonly string[], lying: readonly string[] = []) => {
    const start = PLAIN_DAY + 120 * 86_400; // June
    const world = new EngineWorld({ start }).start();
    for (const address of announcing) world.server(address).leap = "insert";
    for (const address of lying) world.server(address).error = 0.3;
    world.run(200);
    return world.snapshot.leap;
  };
  assert.equal(leapAfter([ONE]), "none");
  assert.equal(leapAfter([ONE, TWO]), "insert");
  assert.equal(leapAfter([ONE, TWO, THREE]), "insert");
  // of the two that are believed one announces: no majority
  assert.equal(leapAfter([ONE, TWO], [ONE]), "none");
});

Deno.test("changed rules are used from the reload on", () => {
  const world = new EngineWorld().start();
  world.server(TWO).error = 0.5;
  world.run(200);
  assert.equal(world.snapshot.state, "synchronized");
  const strict = `${THREE_SOURCES}[synchronization]\nminimum-agreeing-sources = 3`;
  world.handle({ type: "reconfigure", config: configOf(strict) });
  assert.equal(world.snapshot.state, "holdover");
  assert.deepEqual(statuses(world), {
    [ONE]: "candidate",
    [TWO]: "falseticker",
    [THREE]: "candidate",
  });
  world.handle({ type: "reconfigure", config: configOf(THREE_SOURCES) });
  assert.equal(world.snapshot.state, "synchronized");
});

Deno.test("what serves where our own listener is closed is somebody else", () => {
  const listen = "192.0.2.1:123";
  const config = `${THREE_SOURCES}[[server]]\nlisten = "${listen}"\n`;
  const world = new EngineWorld({ config }).start();
  const status = () => world.snapshot.sources.find(({ address }) => address === listen)?.status;
  world.run(300);
  assert.equal(status(), "loop");
  world.handle({ type: "own-addresses", closed: [listen] });
  assert.notEqual(status(), "loop");
  world.handle({ type: "own-addresses", closed: [] });
  assert.equal(status(), "loop");
});
