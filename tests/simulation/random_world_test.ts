/**
 * Random worlds: NTPSD_SIMULATION_WORLDS=N runs N of them, NTPSD_SIMULATION_FIRST says from which
 * seed on.
 */
import assert from "node:assert/strict";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { violationTexts } from "../../src/simulation/report.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import { randomWorld } from "./random_world.ts";

const WORLDS = Number(Deno.env.get("NTPSD_SIMULATION_WORLDS") ?? 20);
const FIRST = Number(Deno.env.get("NTPSD_SIMULATION_FIRST") ?? 1);

function faults(seed: number): readonly string[] {
  const parsed = parseScenario(randomWorld(seed));
  if (!parsed.ok) return parsed.error.map(({ path, message }) => `${path}: ${message}`);
  try {
    return violationTexts(runScenario(parsed.value, { seed, createEngine: createSimulatedEngine }));
  } catch (error) {
    return [String(error)];
  }
}

Deno.test(`${WORLDS} random worlds keep the rules and end with a right clock`, () => {
  const failed: string[] = [];
  for (let seed = FIRST; seed < FIRST + WORLDS; seed++) {
    const found = faults(seed);
    if (found.length === 0) continue;
    failed.push(
      `seed ${seed}: ${
        found.join("; ")
      }\n  to see it again: deno run tests/simulation/random_world.ts ` +
        `${seed} > world.toml; ntpsd simulate world.toml`,
    );
  }
  assert.equal(failed.length, 0, failed.join("\n"));
});
