import assert from "node:assert/strict";
import { EngineWorld, THREE_SOURCES } from "../../tests/support/engine_world.ts";
import { isTimeKnown } from "./status/snapshot.ts";
import { withLocalReference } from "./status/system_variables.ts";

const LOCAL = "[synchronization]\nlocal-stratum = 8\n";

Deno.test("an isolated server says of itself what it serves: synchronised, its stratum, an id that no host has", () => {
  for (const mayAdjust of [true, false]) {
    const world = new EngineWorld({ config: LOCAL, mayAdjust }).start();
    world.run(10);
    const { state, why: reason, stratum, leap, referenceId, referenceTime, ...rest } =
      world.snapshot;
    assert.deepEqual([state, stratum, leap, referenceId], [
      "synchronized",
      8,
      "none",
      "127.127.1.1",
    ]);
    assert.match(reason, /local-stratum/);
    assert.equal(referenceTime, null, "nothing has updated the clock");
    assert.deepEqual([rest.rootDelaySeconds, rest.errorBoundSeconds], [0, null]);
    assert.equal(world.engine.servedTime(world.now).synchronized, false, "nobody is followed");
  }
});

Deno.test("the reference id of the configuration is shown as it is written", () => {
  const world = new EngineWorld({ config: `${LOCAL}reference-id = "HERE"\n` }).start();
  assert.equal(world.snapshot.referenceId, "HERE");
});

Deno.test("sources count more than the own clock, as long as what they told holds", () => {
  const world = new EngineWorld({ config: THREE_SOURCES + LOCAL }).start();
  assert.equal(world.snapshot.stratum, 8, "nobody has answered yet");
  world.run(120);
  const followed = world.snapshot;
  assert.equal(followed.state, "synchronized");
  assert.equal(followed.why, "");
  assert.notEqual(followed.stratum, 8);
  assert.ok((followed.errorBoundSeconds ?? 9) < 1);
});

Deno.test("only a state that is no good gives way to the own clock", () => {
  const states = ["starting", "synchronized", "holdover", "unsynchronized", "monitoring"] as const;
  for (const state of states) {
    const known = isTimeKnown(state);
    assert.equal(withLocalReference({ state, reason: "W" }, undefined).state, state);
    const local = withLocalReference({ state, reason: "W" }, 8);
    assert.deepEqual([local.state, local.isLocal], known ? [state, false] : ["synchronized", true]);
  }
});

Deno.test("without any source it is said that there is none, not that none was measured yet", () => {
  const config = "[synchronization]\nlocal-stratum = 8\n";
  const { snapshot } = new EngineWorld({ config }).start();
  assert.match(snapshot.why, /by local-stratum\. No \[\[source\]\] is configured$/);
});
