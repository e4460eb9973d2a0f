import assert from "node:assert/strict";
import { EngineWorld, THREE_SOURCES } from "../../tests/support/engine_world.ts";
import type { Action } from "./events.ts";

type LogAction = Extract<Action, { type: "log" }>;

Deno.test("whatever is told of one source says of which, also while its name gives ever new servers", () => {
  const pool = '[[source]]\nmode = "pool"\naddress = "pool.example.org"\ncount = 8\n';
  const world = new EngineWorld({ config: `${THREE_SOURCES}${pool}` });
  let count = 0;
  world.resolve = () => Array.from({ length: 64 }, () => `10.0.${count >> 8}.${count++ & 255}`);
  for (let i = 0; i < 4096; i++) {
    const server = world.server(`10.0.${i >> 8}.${i & 255}`);
    if (i < 16) server.error = 100 + i;
    else server.hasNoRoute = true;
  }
  const told: LogAction[] = [];
  const { engine } = world;
  const handle = engine.handle.bind(engine);
  engine.handle = (event, now) => {
    const actions = handle(event, now);
    told.push(...actions.filter((action) => action.type === "log"));
    return actions;
  };
  world.start().run(6 * 3600);
  const ofSources = told.filter(({ message }) => message.startsWith("Source "));
  assert.ok(ofSources.length > 20, "there was something to tell");
  for (const { message, source = "" } of ofSources) {
    assert.ok(source !== "" && message.startsWith(`Source ${source} `), message);
  }
  // what is told of no single source stays short, since nobody else's share bounds it
  assert.ok(told.length - ofSources.length < 40);
});
