import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { ok } from "../base/result.ts";
import type { Action, Event, SetClockAction } from "../engine/events.ts";
import { Poller } from "../../ffi/poller.ts";
import {
  type ClockPort,
  type DrivenEngine,
  type DriverHooks,
  EngineDriver,
} from "./engine_driver.ts";
import { configureLog } from "../system/log.ts";

const SET: SetClockAction = {
  type: "set-clock",
  frequency: 12.5,
  step: -0.25,
  status: {
    synchronized: true,
    leap: "none",
    maxError: 0.01,
    estimatedError: 0.001,
    taiOffset: undefined,
  },
};

/**
 * An engine that answers the first event of a type with given actions, and remembers all events.
 */
class ScriptedEngine implements DrivenEngine {
  readonly events: Event[] = [];
  readonly #script: Partial<Record<Event["type"], readonly Action[]>>;

  constructor(script: Partial<Record<Event["type"], readonly Action[]>>) {
    this.#script = script;
  }

  handle(event: Event): readonly Action[] {
    const first = !this.events.some(({ type }) => type === event.type);
    this.events.push(event);
    return first ? this.#script[event.type] ?? [] : [];
  }

  nextWakeup(): number {
    return Infinity;
  }
}

function setUp(
  script: Partial<Record<Event["type"], readonly Action[]>>,
  port: ClockPort,
  write: (line: string) => void = () => {},
) {
  configureLog({ level: "error", journal: false, write });
  const poller = Poller.open();
  assert.ok(poller.ok);
  const engine = new ScriptedEngine(script);
  const saved: unknown[] = [];
  const hooks: DriverHooks = {
    saveDrift: (drift) => void saved.push(drift.frequency),
    exchangeKeys: () => {},
    verifyCertificates: () => {},
    saveTimeBound: () => {},
    saveSessions: () => {},
    panic: (message) => void saved.push(message),
    changed: () => {},
    clockStepped: () => void saved.push("stepped"),
  };
  const driver = new EngineDriver({ engine, poller: poller.value, hooks, kernel: port });
  return { engine, driver, saved, close: () => poller.value.close() };
}

Deno.test("a command goes to the clock, and what came of it goes back to the engine at once", async () => {
  const commands: SetClockAction[] = [];
  const port: ClockPort = {
    set(action) {
      commands.push(action);
      return ok({ frequency: 12.4, step: -0.25 });
    },
  };
  const { engine, driver, saved, close } = setUp({ start: [SET] }, port);
  const running = driver.run();
  driver.stop();
  await running;
  close();
  assert.deepEqual(commands, [SET]);
  assert.deepEqual(saved, ["stepped"]);
  assert.deepEqual(engine.events.map(({ type }) => type), ["start", "clock-set", "stop"]);
  assert.deepEqual(engine.events[1], {
    type: "clock-set",
    result: { ok: true, value: { frequency: 12.4, step: -0.25 } },
  });
});

Deno.test("the last words of the engine are carried out, and nothing after them", async () => {
  const port: ClockPort = { set: () => ok({ frequency: 0, step: 0 }) };
  const script = { stop: [{ type: "save-drift", frequency: 3.5, skew: 0.1 }] } as const;
  const { engine, driver, saved, close } = setUp(script, port);
  const running = driver.run();
  driver.deliver({ type: "drift-loaded", frequency: 1, skew: 1 });
  driver.stop();
  driver.deliver({ type: "timer" });
  await running;
  close();
  assert.deepEqual(saved, [3.5]);
  assert.deepEqual(engine.events.map(({ type }) => type), ["start", "drift-loaded", "stop"]);
});

Deno.test("names are looked up by the system, and answers come back as events", async () => {
  const port: ClockPort = { set: () => ok({ frequency: 0, step: 0 }) };
  const script = { start: [{ type: "resolve", lookup: 7, host: "127.0.0.1" }] } as const;
  const { engine, driver, close } = setUp(script, port);
  const running = driver.run();
  while (!engine.events.some(({ type }) => type === "resolved")) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  driver.stop();
  await running;
  close();
  const resolved = engine.events.find(({ type }) => type === "resolved");
  assert.deepEqual(resolved, {
    type: "resolved",
    lookup: 7,
    result: { ok: true, value: ["127.0.0.1"] },
  });
});

Deno.test("a source whose name gives ever new servers fills no log, and hides nothing that is told of others", async () => {
  const told = (message: string, source?: string): Action => ({
    type: "log",
    level: "error",
    message,
    ...(source === undefined ? {} : { source }),
  });
  const churn = Array.from(
    { length: 5000 },
    (_, i) => told(`Source pool (10.0.0.${i}) is gone`, "pool"),
  );
  const others = [told("Source good is wrong", "good"), told("The clock is somewhere else")];
  const lines: string[] = [];
  const { driver, close } = setUp(
    { start: [...churn, ...others] },
    { set: () => ok({ frequency: 0, step: 0 }) },
    (line) => lines.push(line),
  );
  const running = driver.run();
  driver.stop();
  await running;
  close();
  assert.ok(lines.filter((line) => line.includes("pool")).length < 100);
  assert.match(lines.at(-2) ?? "", /Source good is wrong\n$/);
  assert.match(lines.at(-1) ?? "", /The clock is somewhere else\n$/);
});
