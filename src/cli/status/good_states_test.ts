/**
 * One meaning of "the time is good": whoever is asked says the same, in every state that the engine
 * can be in.
 */
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import assert from "node:assert/strict";
import { EngineWorld, THREE_SOURCES } from "../../../tests/support/engine_world.ts";
import { statusCommand } from "./status.ts";
import { isTimeKnown, type SystemState } from "../../engine/status/snapshot.ts";
import { answer } from "../../daemon/observability/http.ts";
import { renderMetrics } from "../../daemon/observability/metrics.ts";
import { servedClock } from "../../daemon/served_clock.ts";
import { ServiceNotices } from "../../daemon/observability/service_notices.ts";
import { exampleStatus } from "../../../tests/support/status_example.ts";

const LOCAL = "[synchronization]\nlocal-stratum = 8\n";
const ADDRESSES = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];

interface Case {
  readonly name: string;
  readonly state: SystemState;
  readonly isGood: boolean;
  readonly world: () => EngineWorld;
}

function running(options: ConstructorParameters<typeof EngineWorld>[0] = {}): EngineWorld {
  const world = new EngineWorld(options).start();
  world.run(300);
  return world;
}

function silenced(world: EngineWorld, seconds: number): EngineWorld {
  for (const address of ADDRESSES) world.server(address).isSilent = true;
  for (let left = seconds; left > 0; left -= 3600) world.run(Math.min(3600, left));
  return world;
}

function lone(more: string): EngineWorld {
  const world = new EngineWorld({ config: THREE_SOURCES + more });
  return silenced(world.start(), 200);
}

const CASES: readonly Case[] = [
  {
    name: "just started",
    state: "starting",
    isGood: false,
    world: () => new EngineWorld().start(),
  },
  { name: "no source answers", state: "starting", isGood: false, world: () => lone("") },
  { name: "in step", state: "synchronized", isGood: true, world: () => running() },
  {
    name: "sources lost",
    state: "holdover",
    isGood: true,
    world: () => silenced(running(), 7200),
  },
  {
    name: "sources lost for long",
    state: "unsynchronized",
    isGood: false,
    world: () => silenced(running(), 90 * 86_400),
  },
  {
    name: "measuring only",
    state: "monitoring",
    isGood: true,
    world: () => running({ mayAdjust: false }),
  },
  {
    name: "measuring only, sources lost",
    state: "unsynchronized",
    isGood: false,
    world: () => silenced(running({ mayAdjust: false }), 7200),
  },
  {
    name: "measuring only, far off",
    state: "unsynchronized",
    isGood: false,
    world: () => running({ mayAdjust: false, offset: 20 }),
  },
  {
    name: "isolated, the own clock counts",
    state: "synchronized",
    isGood: true,
    world: () => running({ config: LOCAL }),
  },
  {
    name: "no source answers, the own clock counts",
    state: "synchronized",
    isGood: true,
    world: () => lone(LOCAL),
  },
  {
    name: "a machine that has slept",
    state: "starting",
    isGood: false,
    world: () => {
      const world = running();
      world.handle({ type: "resumed", asleep: 1000 });
      return world;
    },
  },
];

Deno.test("status, its exit status, health, metrics, the service manager and what is served say the same", async () => {
  for (const { name, state, isGood, world: make } of CASES) {
    const world = make();
    const document = exampleStatus(world.snapshot);
    assert.equal(document.state, state, name);
    assert.equal(isTimeKnown(document.state), isGood, name);
    assert.equal(document.stratum < 16, isGood, `${name}: stratum ${document.stratum}`);
    assert.equal(document.leap !== "unknown", isGood, `${name}: leap ${document.leap}`);
    assert.equal(
      document.why === "",
      state === "synchronized" && !name.includes("own clock"),
      name,
    );

    const http = {
      listen: { family: "ipv4", address: "127.0.0.1", port: 1 } as const,
      names: () => [],
      status: () => document,
    };
    const health = answer({ method: "GET", path: "/healthz", host: "localhost" }, http);
    assert.equal(health.status, isGood ? 200 : 503, name);

    const gauge = /^ntpsd_synchronized ([01])$/m.exec(
      renderMetrics(document, { residentBytes: 1 }),
    );
    assert.equal(gauge?.[1], isGood ? "1" : "0", name);

    let isReady = false;
    const options = { waitsForTime: true, isWatched: false };
    new ServiceNotices(options, (notice) => isReady ||= notice.ready === true).update(
      document,
      1000,
    );
    assert.equal(isReady, isGood, name);

    const exit = await statusCommand.run({ options: { at: "127.0.0.1:1" }, operands: [] }, {
      ...IDLE_CONTEXT,
      out: () => {},
      err: (text) => assert.fail(text),
      readFile: () => assert.fail("Nothing is read"),
      httpGet: () =>
        Promise.resolve({ ok: true, value: { status: 200, body: JSON.stringify(document) } }),
    });
    assert.equal(exit, isGood ? 0 : 1, name);

    const localStratum = name.includes("own clock") ? 8 : undefined;
    const served = servedClock(world.engine.servedTime(world.now), {
      synchronization: { localStratum, referenceId: undefined },
      precision: -20,
      now: world.now,
    });
    assert.equal(served.leapIndicator !== 3 && served.stratum < 16, isGood, name);
    assert.equal(served.stratum % 16, document.stratum % 16, `${name}: one stratum`);
  }
});
