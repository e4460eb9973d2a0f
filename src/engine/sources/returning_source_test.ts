import { deepEqual, equal, ok } from "node:assert/strict";
import { EngineWorld } from "../../../tests/support/engine_world.ts";

/**
 * A world with so many honest servers and so many that are wrong by so much for the first ten
 * minutes.
 */
function healingWorld(
  about: { honest: number; wrong: number; error: number; seed: number },
): { readonly world: EngineWorld; readonly repair: () => void } {
  const all = Array.from({ length: about.honest + about.wrong }, (_, i) => `192.0.2.${i + 1}`);
  const section = (address: string) => `[[source]]\nmode = "server"\naddress = "${address}"\n`;
  const config = all.map(section).join("") + "[synchronization]\nminimum-agreeing-sources = 2\n";
  const world = new EngineWorld({ config, offset: 0.05, seed: about.seed });
  const setWrong = (error: number) => {
    for (const address of all.slice(about.honest)) world.server(address).error = error;
  };
  setWrong(about.error);
  world.start().run(600);
  return { world, repair: () => setWrong(0) };
}

Deno.test("servers that were wrong and are repaired take nobody to where they were", () => {
  for (const [honest, wrong] of [[3, 2], [3, 3], [4, 3]] as const) {
    for (const error of [5, 0.5, 0.05]) {
      for (const seed of [1, 2]) {
        const { world, repair } = healingWorld({ honest, wrong, error, seed });
        const before = Math.abs(world.offset);
        repair();
        for (let i = 0; i < 120; i++) {
          world.run(30);
          const now = Math.abs(world.offset);
          ok(now <= before + 1e-3, `${honest} ${wrong} ${error} ${seed}: off by ${now} s`);
        }
        ok(Math.abs(world.offset) < 1e-3);
        equal(world.snapshot.state, "synchronized");
        const words = new Set(world.snapshot.sources.map(({ status }) => status));
        deepEqual([...words].toSorted(), ["combined", "selected"]);
      }
    }
  }
});

Deno.test("a majority that led the clock away brings it back when it is repaired", () => {
  for (const error of [5, 0.5]) {
    for (const seed of [1, 2]) {
      const { world, repair } = healingWorld({ honest: 3, wrong: 4, error, seed });
      repair();
      world.run(3600);
      ok(Math.abs(world.offset) < 1e-3, `off by ${world.offset} s`);
    }
  }
});
