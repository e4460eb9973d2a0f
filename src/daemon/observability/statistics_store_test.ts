import "../../../tests/support/libc_opened.ts";
import { deepEqual, equal, match } from "node:assert/strict";
import { err, ok } from "../../base/result.ts";
import { exampleStatus } from "../../../tests/support/status_example.ts";
import { FunctionStates } from "./function_states.ts";
import type { FileOutcome, StatisticsFiles } from "./statistics.ts";
import { StatisticsStore } from "./statistics_store.ts";

const MINUTE = 60_000_000_000n;
const FULL = err({ name: "ENOSPC", message: "Cannot write: no space left", hint: "Free some" });

/** A store whose clock and disk the test moves. */
class Scene {
  now = 1_795_312_800_000_000_000n;
  disk: FileOutcome = ok(undefined);
  readonly written = new Set<string>();
  readonly logged: string[] = [];
  readonly functions = new FunctionStates({
    info: (line) => this.logged.push(line),
    error: (line) => this.logged.push(line),
  });
  readonly store: StatisticsStore;

  constructor(path: string | undefined) {
    const files: StatisticsFiles = {
      makeDirectory: () => Promise.resolve(this.disk),
      appendToFile: (file) => {
        if (this.disk.ok) this.written.add(file);
        return Promise.resolve(this.disk);
      },
      hasContent: () => Promise.resolve(false),
      removeFile: () => Promise.resolve(ok(undefined)),
    };
    this.store = new StatisticsStore(path, {
      functions: this.functions,
      now: () => this.now,
      files,
    });
  }

  /** Prepares, waits for the disk, and looks again after so much time. */
  async prepareTwice(later: bigint): Promise<void> {
    this.store.prepare();
    await this.store.settled();
    this.now += later;
    this.store.prepare();
    await this.store.settled();
  }

  get states(): readonly (readonly [string, boolean])[] {
    return this.functions.documents().map(({ name, up }) => [name, up]);
  }
}

Deno.test("without a path nothing is written, no status is made, and nothing is told", async () => {
  const scene = new Scene(undefined);
  await scene.prepareTwice(MINUTE);
  scene.store.observe(() => {
    throw new Error("A status was made for nothing");
  });
  await scene.store.settled();
  deepEqual([[...scene.written], scene.states, scene.logged], [[], [], []]);
});

Deno.test("statistics that cannot be written are told once, tried again, and told when they work", async () => {
  const scene = new Scene("/s");
  scene.disk = FULL;
  await scene.prepareTwice(1n);
  await scene.prepareTwice(1n);
  deepEqual(scene.states, [["/s", false]]);
  equal(scene.logged.length, 1);
  match(scene.logged[0] ?? "", /^Statistics in \/s: Cannot write: no space left; Free some/);
  scene.disk = ok(undefined);
  scene.now += MINUTE;
  await scene.prepareTwice(1n);
  deepEqual(scene.states, [["/s", true]]);
  match(scene.logged[1] ?? "", /^Statistics in \/s work again$/);
});

Deno.test("what is observed is written, and what that came to is told at the next look", async () => {
  const scene = new Scene("/s");
  scene.store.observe(() => exampleStatus());
  await scene.store.settled();
  deepEqual([...scene.written], ["/s/measurements-20261122.log", "/s/tracking-20261122.log"]);
  deepEqual(scene.states, [["/s", true]]);
  scene.disk = FULL;
  const next = exampleStatus({ referenceTime: "2026-11-22T02:01:00Z" });
  scene.store.observe(() => next);
  await scene.store.settled();
  scene.store.prepare();
  deepEqual(scene.states, [["/s", false]]);
  await scene.store.settled();
});

Deno.test("a changed path is followed, the same one is left alone, and none ends the statistics", async () => {
  const scene = new Scene("/old");
  scene.disk = FULL;
  await scene.prepareTwice(1n);
  scene.store.follow("/old");
  deepEqual(scene.states, [["/old", false]], "what is known of the same path stays");
  scene.disk = ok(undefined);
  scene.store.follow("/new");
  await scene.store.settled();
  deepEqual(scene.states, [["/new", true]]);
  deepEqual([...scene.written].map((file) => file.replace(/[^/]*$/, "")), ["/new/", "/new/"]);
  scene.store.follow(undefined);
  await scene.prepareTwice(MINUTE);
  deepEqual(scene.states, []);
});
