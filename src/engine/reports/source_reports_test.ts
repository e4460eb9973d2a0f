import assert from "node:assert/strict";
import { EngineWorld } from "../../../tests/support/engine_world.ts";
import { sessionProtections } from "../../../tests/support/nts_sessions.ts";
import { err } from "../../base/result.ts";

const [ONE, TWO, THREE] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;
const ALL = [ONE, TWO, THREE];

/** The lines about single sources and all of them, without those of selection and the clock. */
function lines(world: EngineWorld, from = 0): readonly string[] {
  return world.logs.slice(from).filter((line) =>
    /^(info|warning): (Source |None of)/.test(line) && !/asks for fewer|denies/.test(line)
  );
}

function runLong(world: EngineWorld, seconds: number): void {
  for (let left = seconds; left > 0; left -= 3600) world.run(Math.min(left, 3600));
}

Deno.test("a source that falls silent is named once, and again when it answers", () => {
  const world = new EngineWorld().start();
  world.run(600);
  assert.deepEqual(
    lines(world).toSorted(),
    ALL.map((name) => `info: Source ${name} (${name}:123) answers`),
  );
  const from = world.logs.length;
  world.server(TWO).isSilent = true;
  runLong(world, 8000);
  assert.deepEqual(lines(world, from).length, 1);
  assert.match(
    lines(world, from)[0] ?? "",
    /^warning: Source 192\.0\.2\.2 .*did not answer the last \d+ requests$/,
  );
  world.server(TWO).isSilent = false;
  runLong(world, 3000);
  assert.deepEqual(lines(world, from).slice(1), [
    "info: Source 192.0.2.2 (192.0.2.2:123) answers again",
  ]);
});

Deno.test("a server that never answers is named", () => {
  const world = new EngineWorld();
  world.server(TWO).isSilent = true;
  world.start().run(1000);
  const about = lines(world).filter((line) => line.includes(TWO));
  assert.equal(about.length, 1);
  assert.match(about[0] ?? "", /^warning: .* did not answer the last 5 requests$/);
  world.server(TWO).isSilent = false;
  runLong(world, 3000);
  const later = lines(world).filter((line) => line.includes(TWO)).slice(1);
  assert.deepEqual(later, [`info: Source ${TWO} (${TWO}:123) answers`], "it never did before");
});

Deno.test("a source that cannot be asked for a short while is told of in a pair", () => {
  const world = new EngineWorld().start();
  world.run(600);
  const from = world.logs.length;
  world.server(TWO).hasNoRoute = true;
  world.run(1500);
  world.server(TWO).hasNoRoute = false;
  world.run(100);
  assert.deepEqual(lines(world, from), [
    "warning: Source 192.0.2.2 (192.0.2.2:123) cannot be queried: Network is unreachable",
    "info: Source 192.0.2.2 (192.0.2.2:123) answers again",
  ]);
});

const SEVEN = `
  [[source]]
  mode = "server"
  address = "192.0.2.1"
  [[source]]
  mode = "pool"
  address = "pool.example.org"
  count = 3
  [[source]]
  mode = "server"
  address = "name.example.org"
  [[source]]
  mode = "nts"
  address = "nts.example.org"
  [[source]]
  mode = "nts"
  address = "nts2.example.org"
  [synchronization]
  authentication = "ignore"`;

function sevenSources(): EngineWorld {
  const world = new EngineWorld({ config: SEVEN, more: { protections: sessionProtections() } });
  const names: Readonly<Record<string, readonly string[]>> = {
    "pool.example.org": ["192.0.2.11", "192.0.2.12", "192.0.2.13"],
    "name.example.org": ["192.0.2.21"],
  };
  world.resolve = (host) => names[host];
  world.exchange = () => ({ result: err("No certificate"), reason: "certificate-invalid" });
  return world;
}

Deno.test("an outage of everything is one line, and its end is one line", () => {
  for (const outage of ["offline", "silent"] as const) {
    const world = sevenSources().start();
    world.run(600);
    const from = world.logs.length;
    const set = (isOut: boolean) => {
      if (outage === "offline") world.isOffline = isOut;
      for (const address of [ONE, "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.21"]) {
        if (outage === "silent") world.server(address).isSilent = isOut;
      }
    };
    set(true);
    runLong(world, 20_000);
    const during = lines(world, from);
    assert.equal(during.length, 1, during.join("\n"));
    const others = world.logs.slice(from).filter((line) => line.includes("No time to follow"));
    assert.deepEqual(others, [], outage);
    assert.match(during[0] ?? "", /^warning: None of the 7 sources answers: \S+ \(.* and 4 more: /);
    set(false);
    world.handle({ type: "network-changed" });
    runLong(world, 4000);
    const after = lines(world, from).slice(1);
    assert.match(after[0] ?? "", /answers again, the first of the sources to do so$/);
    // the two that had no keys before are told of again, and nobody else
    assert.ok(after.slice(1).every((line) => line.includes("nts")), after.join("\n"));
    assert.ok(after.length <= 3, after.join("\n"));
  }
});

Deno.test("a start without network is one line, and its end is one line", () => {
  const world = sevenSources();
  world.isOffline = true;
  world.start();
  runLong(world, 4000);
  assert.equal(lines(world).length, 1, lines(world).join("\n"));
  assert.match(lines(world)[0] ?? "", /^warning: None of the 5 sources answers: /);
  world.isOffline = false;
  world.exchange = undefined;
  world.handle({ type: "network-changed" });
  world.run(100);
  const answered = lines(world).slice(1);
  assert.match(answered[0] ?? "", /first of the sources/);
  assert.ok(answered.every((line) => line.startsWith("info")), answered.join("\n"));
});

Deno.test("who stays silent after an outage of everything is named", () => {
  const world = new EngineWorld().start();
  world.run(600);
  world.isOffline = true;
  runLong(world, 4000);
  const from = world.logs.length;
  world.isOffline = false;
  world.server(THREE).isSilent = true;
  world.handle({ type: "network-changed" });
  world.run(1200);
  const told = lines(world, from);
  assert.equal(told.length, 2, told.join("\n"));
  assert.match(told[1] ?? "", /^warning: Source 192\.0\.2\.3 /);
});

Deno.test("the only source is named at once", () => {
  const world = new EngineWorld({ config: `[[source]]\nmode = "server"\naddress = "${ONE}"` });
  world.start().run(600);
  world.server(ONE).isSilent = true;
  runLong(world, 8000);
  world.server(ONE).isSilent = false;
  runLong(world, 3000);
  assert.deepEqual(lines(world).map((line) => line.replace(/last \d+/, "last N")), [
    `info: Source ${ONE} (${ONE}:123) answers`,
    `warning: Source ${ONE} (${ONE}:123) did not answer the last N requests`,
    `info: Source ${ONE} (${ONE}:123) answers again`,
  ]);
});

Deno.test("answers that are dropped are named by the reason, in the log once and in status with counts", () => {
  const cases = [
    ["root-distance", (world: EngineWorld) => world.server(TWO).rootDispersion = 17],
    ["not-authentic", (world: EngineWorld) => world.server(TWO).tail = new Uint8Array(24).fill(1)],
    ["crypto-nak", (world: EngineWorld) => world.server(TWO).tail = new Uint8Array(4)],
    ["version", (world: EngineWorld) => world.server(TWO).version = 5],
  ] as const;
  for (const [reason, spoil] of cases) {
    for (const wasGood of [true, false]) {
      const world = new EngineWorld();
      if (wasGood) world.start().run(600);
      spoil(world);
      if (!wasGood) world.start();
      runLong(world, 8000);
      const told = lines(world).filter((line) => line.startsWith("warning"));
      assert.equal(told.length, 1, told.join("\n"));
      const sentence = new RegExp(`sends responses that are dropped: ${reason} \\(\\d+\\)$`);
      assert.match(told[0] ?? "", sentence);
      const source = world.source(TWO);
      assert.equal(source.status, "unreachable");
      assert.match(source.reason, new RegExp(`^Its responses are dropped: ${reason} \\(\\d+\\)$`));
    }
  }
});

Deno.test("a new reason is told once, noise of strangers never", () => {
  const world = new EngineWorld();
  world.server(TWO).version = 5;
  world.start().run(1000);
  const from = world.logs.length;
  for (let round = 0; round < 20; round++) {
    world.server(TWO).version = round % 2 === 0 ? 4 : 5;
    world.server(TWO).rootDispersion = 17;
    runLong(world, 1500);
  }
  assert.equal(lines(world, from).length, 1);
  assert.match(lines(world, from)[0] ?? "", /root-distance/);
  Object.assign(world.server(TWO), { version: 4, rootDispersion: 0, badOrigin: true });
  runLong(world, 20_000);
  assert.equal(lines(world, from).length, 1);
  world.server(TWO).badOrigin = false;
  runLong(world, 3000);
  assert.deepEqual(lines(world, from).slice(1), [
    "info: Source 192.0.2.2 (192.0.2.2:123) answers",
  ]);
});

Deno.test("a failure that ended before it was told is told with what it was", () => {
  const world = new EngineWorld().start();
  world.run(600);
  const from = world.logs.length;
  // shorter than an interval between two requests, so that some of the sources never notice
  for (let i = 0; i < 40; i++) {
    world.isOffline = i % 2 === 0;
    world.run(i % 2 === 0 ? 20 : 200);
  }
  const told = world.logs.slice(from).filter((line) => line.includes("(before: "));
  assert.ok(told.length > 0, world.logs.slice(from).join("\n"));
  for (const line of told) {
    assert.match(line, /^info: Source .* answers( again)? \(before: cannot be queried: /);
  }
});
