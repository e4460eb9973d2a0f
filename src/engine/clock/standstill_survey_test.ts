import assert from "node:assert/strict";
import { exchangeOutcome, unprotectedSessions } from "../../../tests/support/nts_sessions.ts";
import { SeededRandom } from "../../base/random.ts";
import { ok } from "../../base/result.ts";
import { present } from "../../base/assert.ts";
import type { ActionOf } from "../events.ts";
import { configOf, EngineWorld, type WorldOptions } from "../../../tests/support/engine_world.ts";

const HOUR = 3600;
/** The server that a key exchange names is 192.0.2.7. */
const AUTHENTICATED = 7;
/** Where a request has the origin timestamp, which is zero unless it asks for interleaved mode. */
const ORIGIN = 24;

/** A source each, with what is written of it besides. */
function sources(...more: readonly string[]): string {
  return more.map((each, i) =>
    `[[source]]\nmode = "server"\naddress = "192.0.2.${i + 1}"\n${each}\n`
  ).join("");
}

const PLAIN = sources("", "", "");
const QUICK = sources(
  ...Array.from(
    { length: 5 },
    () => "initial-poll-interval = 0\npoll-interval-limits = { min = 0, max = 0 }",
  ),
);
const NO_STEP = "[synchronization]\nstep-limit = 0\n";

/** A world that has run for a while. */
function worldOf(options: WorldOptions & { readonly after?: number } = {}): EngineWorld {
  const world = new EngineWorld({ config: PLAIN, ...options }).start();
  world.run(options.after ?? 900);
  world.logs.length = 0;
  return world;
}

/** What the machine misses by standing still: all servers, or some, are ahead. */
function pass(world: EngineWorld, seconds: number, shownBy: readonly number[] = [1, 2, 3]): void {
  for (const i of shownBy) world.server(`192.0.2.${i}`).error += seconds;
}

function standStill(world: EngineWorld, seconds: number, shownBy?: readonly number[]): void {
  pass(world, seconds, shownBy);
  world.handle({ type: "standstill-suspected", missing: seconds });
}

function silence(world: EngineWorld, which: readonly number[], isSilent = true): void {
  for (const i of which) world.server(`192.0.2.${i}`).isSilent = isSilent;
}

function isTold(world: EngineWorld, seconds: number): boolean {
  return world.logs.some((line) => line.includes(`The machine stood still for ${seconds} s`));
}

/** The clock was stepped by so much altogether, and is right again. */
function assertStepped(world: EngineWorld, seconds: number): void {
  assert.equal(world.panic, undefined);
  const stepped = world.steps.reduce((sum, step) => sum + step, 0);
  assert.ok(Math.abs(stepped - seconds) < 0.01, `${world.steps} instead of ${seconds}`);
  assert.equal(world.snapshot.state, "synchronized");
}

for (
  const [who, config, shownBy] of [
    ["a source beside two that are only watched", sources("", ...watched(2)), [1]],
    [
      "two trusted sources beside two others",
      sources("trust = true", "trust = true", "", ""),
      [1, 2],
    ],
    ["a trusted source beside two others", oneIsEnough(sources("trust = true", "", "")), [1]],
  ] as const
) {
  Deno.test(`${who} that do not show a stand-still confirms it`, () => {
    const world = worldOf({ config });
    standStill(world, HOUR, shownBy);
    world.run(1500);
    assert.ok(isTold(world, HOUR));
    assertStepped(world, HOUR);
  });
}

for (
  const [who, config, shownBy] of [
    ["sources that are only watched", sources("", ...watched(2)), [2, 3]],
    ["untrusted sources", oneIsEnough(sources("trust = true", "", "")), [2, 3]],
    ["fewer than half of the sources", PLAIN, [3]],
  ] as const
) {
  Deno.test(`${who} alone do not confirm a stand-still`, () => {
    const world = worldOf({ config });
    standStill(world, HOUR, shownBy);
    for (let i = 0; i < 60; i++) {
      world.run(5);
      assert.equal(world.snapshot.state, "synchronized");
    }
    assert.ok(!isTold(world, HOUR));
    assertStepped(world, 0);
  });
}

function watched(count: number): readonly string[] {
  return Array.from({ length: count }, () => "no-select = true");
}

function oneIsEnough(config: string): string {
  return `[synchronization]\nminimum-agreeing-sources = 1\n${config}`;
}

for (const authentication of ["mix", "prefer", "require"]) {
  Deno.test(`with "${authentication}" the authenticated source alone confirms a stand-still`, () => {
    for (const isTrue of [true, false]) {
      const config = `[synchronization]\nauthentication = "${authentication}"\n` +
        `minimum-agreeing-sources = 1\n` + sources("", "") +
        '[[source]]\nmode = "nts"\naddress = "nts.example.org"\n';
      const world = new EngineWorld({
        config,
        more: { protections: unprotectedSessions(new SeededRandom(1)) },
      });
      world.exchange = () => ({ result: ok(exchangeOutcome()) });
      world.start().run(900);
      standStill(world, HOUR, isTrue ? [AUTHENTICATED] : [1, 2]);
      world.run(1500);
      assert.equal(isTold(world, HOUR), isTrue);
      assertStepped(world, isTrue ? HOUR : 0);
    }
  });
}

Deno.test("a source that answers first does not speak for those that have not answered yet", () => {
  const world = worldOf();
  world.isOffline = true;
  world.run(900);
  world.isOffline = false;
  for (const i of [1, 2]) world.server(`192.0.2.${i}`).delay = 0.9;
  standStill(world, HOUR, [3]);
  world.run(300);
  assert.ok(!isTold(world, HOUR));
  assertStepped(world, 0);
});

Deno.test("a source that was wrong before does not confirm a stand-still alone", () => {
  const world = new EngineWorld({ config: PLAIN }).start();
  pass(world, HOUR, [3]);
  world.run(900);
  silence(world, [1, 2]);
  world.handle({ type: "standstill-suspected", missing: HOUR });
  world.run(200);
  assert.ok(!isTold(world, HOUR));
  silence(world, [1, 2], false);
  world.run(900);
  assertStepped(world, 0);
});

for (
  const [count, silent] of [[4, [3, 4]], [5, [3, 4, 5]], [3, [2, 3]], [2, [2]]] as const
) {
  Deno.test(`a stand-still with which ${silent.length} of ${count} sources fell silent is found out`, () => {
    const world = worldOf({ config: sources(...Array.from({ length: count }, () => "")) });
    silence(world, silent);
    standStill(world, HOUR, Array.from({ length: count }, (_, i) => i + 1));
    world.run(60);
    assert.ok(isTold(world, HOUR));
    world.run(3000);
    silence(world, silent, false);
    world.run(1200);
    assertStepped(world, HOUR);
  });
}

for (const [when, between] of [["at once", 0], ["within 5 ms", 0.005], ["5 s later", 5]] as const) {
  Deno.test(`a machine that stands still again ${when} misses both times`, () => {
    const world = worldOf();
    standStill(world, HOUR);
    world.run(between);
    standStill(world, HOUR / 2);
    world.run(300);
    assertStepped(world, 1.5 * HOUR);
  });
}

for (const seconds of [900, HOUR]) {
  Deno.test(`a stand-still of ${seconds} s is found out when the network is back, however late`, () => {
    const world = worldOf();
    world.isOffline = true;
    standStill(world, seconds / 2);
    world.run(20);
    standStill(world, seconds / 2);
    world.run(2000);
    world.isOffline = false;
    world.handle({ type: "network-changed" });
    world.run(120);
    assertStepped(world, seconds);
  });
}

for (const by of [100, HOUR]) {
  Deno.test(`a step of ${by} s by others after a stand-still is taken off what is missing`, () => {
    const world = worldOf();
    world.isOffline = true;
    standStill(world, HOUR);
    world.run(5);
    world.stepFromOutside(by);
    world.run(20);
    world.isOffline = false;
    world.run(300);
    assertStepped(world, HOUR - by);
  });
}

for (
  const [what, happen] of [
    ["new addresses", (world) => {
      world.handle({ type: "own-addresses", addresses: ["198.51.100.9"] });
    }],
    ["a reload", (world) => {
      world.handle({ type: "reconfigure", config: configOf(QUICK) });
    }],
    ["a source that comes back", (world) => {
      silence(world, [5], false);
    }],
    ["a source that loses the time", (world) => {
      world.server("192.0.2.1").leap = "unknown";
    }],
  ] as readonly (readonly [string, (world: EngineWorld) => void])[]
) {
  Deno.test(`${what} while sources are awaited that are to confirm a stand-still steer nothing`, () => {
    for (let after = 0; after < 8; after += 0.5) {
      const world = new EngineWorld({ config: QUICK });
      if (what === "a source that comes back") silence(world, [5]);
      world.start().run(300);
      // the filters learn from the others what is missing while this one is waited for
      silence(world, [4]);
      standStill(world, HOUR, [1, 2, 3, 4, 5]);
      world.run(after);
      happen(world);
      world.run(100);
      assert.ok(isTold(world, HOUR), `${after} s: ${world.logs.join("\n")}`);
      assertStepped(world, HOUR);
    }
  });
}

Deno.test("no exchange in interleaved mode that began before a stand-still is asked for", () => {
  const world = worldOf({ config: sources("interleaved = true", "interleaved = true") });
  const isBasic = ({ packet }: ActionOf<"send">) =>
    packet.subarray(ORIGIN, ORIGIN + 8).every((octet) => octet === 0);
  const sends = (from: number) =>
    world.journal.slice(from).map(({ action }) => action).filter((action) =>
      action.type === "send"
    );
  assert.equal(isBasic(present(sends(0).at(-1), "Sources are asked")), false);
  const before = world.journal.length;
  world.handle({ type: "standstill-suspected", missing: HOUR });
  world.run(20);
  assert.deepEqual(sends(before).map(isBasic), [true, true]);
});

Deno.test("what was being slewed is no part of a stand-still, and the slew goes on with all of it", () => {
  for (const offset of [2, 20]) {
    const world = worldOf({ config: NO_STEP + PLAIN, offset, after: 8 });
    standStill(world, HOUR);
    world.run(300);
    assert.ok(isTold(world, HOUR));
    // slewing takes twelve hours
    world.run(44_000);
    assert.ok(Math.abs(world.offset + HOUR) < 0.01, `${world.offset}`);
    assertStepped(world, 0);
  }
});

Deno.test("a clock that is only watched has lost time too, whatever was known of it", () => {
  const world = worldOf({ mayAdjust: false, offset: 100 });
  standStill(world, HOUR);
  world.run(60);
  assert.ok(isTold(world, HOUR));
  world.stepFromOutside(10);
  standStill(world, HOUR / 2);
  world.run(60);
  assert.ok(isTold(world, HOUR / 2));
});

Deno.test("a hardware clock that jumps all the time does not put decisions off", () => {
  const world = worldOf();
  world.drift = 5e-5;
  for (let i = 0; i < 450; i++) {
    world.handle({ type: "standstill-suspected", missing: 10 + i % 7 });
    world.run(2);
  }
  assert.ok(Math.abs(world.offset) < 1e-3, `${world.offset}`);
  assertStepped(world, 0);
});
