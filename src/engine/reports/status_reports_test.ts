import assert from "node:assert/strict";
import { EngineWorld } from "../../../tests/support/engine_world.ts";
import type { FakeServer } from "../../../tests/support/fake_server.ts";
import { referenceIdOfAddress } from "../../protocol/reference_id.ts";

const [ONE, TWO, THREE] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;
const OWN = "192.0.2.200";
const FIVE = [1, 2, 3, 4, 5]
  .map((i) => `[[source]]\nmode = "server"\naddress = "192.0.2.${i}"\n`).join("");

/** The lines about what is used. */
function lines(world: EngineWorld, from = 0): readonly string[] {
  return world.logs.slice(from).filter((line) =>
    /is not used|is usable again|No source is used|No time to follow|The reference/.test(line)
  );
}

/** The lines that name a source, without the address in brackets. */
function about(world: EngineWorld, name: string, from = 0): readonly string[] {
  return lines(world, from).filter((line) => line.includes(`Source ${name} `))
    .map((line) => line.replace(/ \(\S+:123\)/, ""));
}

function runLong(world: EngineWorld, seconds: number): void {
  for (let left = seconds; left > 0; left -= 3600) world.run(Math.min(left, 3600));
}

Deno.test("every fault that status shows is told with its word and reason, and its end too", () => {
  const faults: readonly [string, Partial<FakeServer>][] = [
    ["falseticker", { error: 0.1 }],
    ["unsynchronized", { leap: "unknown" }],
    ["unsynchronized", { stratum: 16 }],
    ["distant", { stratum: 15 }],
    ["distant", { rootDispersion: 3 }],
    ["loop", { referenceId: referenceIdOfAddress(OWN) ?? 0 }],
  ];
  for (const [word, fault] of faults) {
    const world = new EngineWorld({ ownAddresses: [OWN] }).start();
    world.run(600);
    const good = { ...world.server(TWO) };
    const from = world.logs.length;
    Object.assign(world.server(TWO), fault);
    runLong(world, 7200);
    assert.equal(world.source(TWO).status, word);
    const [told, ...more] = about(world, TWO, from);
    assert.match(
      told ?? "",
      new RegExp(`^warning: Source ${TWO} is not used \\(${word}\\): [A-Z]`),
    );
    assert.deepEqual(more, []);
    Object.assign(world.server(TWO), good);
    runLong(world, 20_000);
    // one that was false may stand apart once on its way back, which is told with its end as well
    const usable = `info: Source ${TWO} is usable again`;
    const back = about(world, TWO, from).slice(1);
    const steps = back.map((line) =>
      line === usable ? "+" : line.includes("(outlier)") ? "-" : line
    );
    assert.match(steps.join(""), word === "falseticker" ? /^\+?-\+$|^\+$/ : /^\+$/, word);
    assert.equal(lines(world, from).filter((line) => !line.includes(TWO)).length <= 2, true);
  }
});

Deno.test("a source that is bad from the start is named, and one alone too", () => {
  const world = new EngineWorld();
  world.server(THREE).error = 5;
  world.start().run(200);
  assert.equal(about(world, THREE).length, 1);
  const alone = new EngineWorld({ config: `[[source]]\nmode = "server"\naddress = "${ONE}"` });
  alone.server(ONE).stratum = 16;
  alone.start().run(600);
  assert.deepEqual(lines(alone), [
    `warning: No source is used: ${ONE} (${ONE}:123): The server says that it is not ` +
    "synchronised (stratum 16)",
  ]);
  assert.match(alone.snapshot.why, /stratum 16/);
});

Deno.test("a source that flips with every response cannot fill the log, and nothing is lost in the end", () => {
  const world = new EngineWorld().start();
  world.run(600);
  const from = world.logs.length;
  const server = world.server(TWO);
  for (let i = 0; i < 1000; i++) {
    server.leap = i % 2 === 0 ? "unknown" : "none";
    world.run(97);
  }
  const during = about(world, TWO, from);
  assert.ok(during.length >= 1 && during.length < 30, during.join("\n"));
  server.leap = "none";
  runLong(world, 20_000);
  const told = about(world, TWO, from);
  assert.match(told.at(-1) ?? "", /is usable again/);
  assert.match(told.join("\n"), /; \d+ brief changes before were not logged/);
  const words = told.map((line) => line.includes("usable again"));
  assert.ok(words.every((isGood, i) => isGood === (i % 2 === 1)), "told in pairs");
});

Deno.test("when all turn bad at once one line tells it, and one line its end", () => {
  const faults: readonly Partial<FakeServer>[] = [
    { leap: "unknown" },
    { rootDispersion: 4 },
    { stratum: 15 },
  ];
  for (const fault of faults) {
    const world = new EngineWorld({ config: FIVE }).start();
    world.run(600);
    const servers = [1, 2, 3, 4, 5].map((i) => world.server(`192.0.2.${i}`));
    const from = world.logs.length;
    const good = servers.map((server) => ({ ...server }));
    for (const server of servers) Object.assign(server, fault);
    runLong(world, 7200);
    const during = lines(world, from).filter((line) => !line.includes("The reference"));
    assert.equal(during.length, 1, during.join("\n"));
    assert.match(
      during[0] ?? "",
      /^warning: No time to follow: (No source is usable|Only 2 .* 3; not used): \S+ and . more: [A-Z]/,
    );
    const until = world.logs.length;
    servers.forEach((server, i) => Object.assign(server, good[i]));
    runLong(world, 20_000);
    const after = lines(world, until);
    assert.match(after[0] ?? "", /^info: The reference is now/);
    assert.equal(after.filter((line) => line.startsWith("warning")).length, 0, after.join("\n"));
    assert.equal(after.filter((line) => line.includes("usable again")).length, 0, after.join("\n"));
  }
});

Deno.test("one that stays bad when the others are good again is named", () => {
  const world = new EngineWorld({ config: FIVE }).start();
  world.run(600);
  const servers = [1, 2, 3, 4, 5].map((i) => world.server(`192.0.2.${i}`));
  for (const server of servers) server.leap = "unknown";
  runLong(world, 3600);
  const from = world.logs.length;
  for (const server of servers.slice(1)) server.leap = "none";
  runLong(world, 7200);
  assert.equal(about(world, ONE, from).length, 1, lines(world, from).join("\n"));
  assert.equal(lines(world, from).filter((line) => line.includes("is not used")).length, 1);
});

Deno.test("who leads and who is used beside is no news", () => {
  const world = new EngineWorld().start();
  for (let i = 0; i < 100; i++) {
    world.server(ONE).rootDispersion = i % 2 === 0 ? 0.001 : 0.2;
    world.run(200);
  }
  assert.deepEqual(lines(world).filter((line) => !line.includes("The reference")), []);
});
