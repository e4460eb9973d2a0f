/**
 * Every scenario of this folder, from its own seed and the next ones: limits are in the files.
 *
 * A failure names the seed and the command that repeats it. NTPSD_SIMULATION_SEEDS=N runs N seeds
 * of each.
 */
import assert from "node:assert/strict";
import { ActionLog } from "../support/action_log.ts";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { violationTexts } from "../../src/simulation/report.ts";
import { type RunOutcome, runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import type { Scenario } from "../../src/simulation/scenario/scenario.ts";

const SEEDS = Number(Deno.env.get("NTPSD_SIMULATION_SEEDS") ?? 2);
const SCENARIO_COUNT_MIN = 20;

function load(path: string): Scenario {
  const parsed = parseScenario(Deno.readTextFileSync(new URL(path, import.meta.url)));
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  return parsed.value;
}

function run(scenario: Scenario, seed: number): RunOutcome {
  return runScenario(scenario, { seed, createEngine: createSimulatedEngine });
}

const folder = new URL("./scenarios/", import.meta.url);
const files = [...Deno.readDirSync(folder)].map((entry) => entry.name).toSorted();

Deno.test("there are as many scenarios as promised, named as their files", () => {
  assert.ok(files.length >= SCENARIO_COUNT_MIN);
  for (const file of files) assert.equal(`${load(`./scenarios/${file}`).name}.toml`, file);
});

for (const file of files) {
  const scenario = load(`./scenarios/${file}`);
  Deno.test(`simulation: ${scenario.name}: ${scenario.description}`, () => {
    for (let i = 0; i < SEEDS; i++) {
      const seed = scenario.seed + i;
      const texts = violationTexts(run(scenario, seed));
      const command = `ntpsd simulate tests/simulation/scenarios/${file} --seed ${seed}`;
      assert.deepEqual(
        texts,
        [],
        `${texts.join("\n")}\n(seed ${seed}; to see it again: ${command})`,
      );
    }
  });
}

Deno.test("the canary fails: limits that nobody can keep are found broken", () => {
  const scenario = load("./canary.toml");
  const broken = violationTexts(run(scenario, scenario.seed)).join("\n");
  for (
    const part of [
      "Wanted an error of at most 1 ns",
      "Wanted a time to 1 ms",
      "Uses good, which it must not",
      "Wanted the state unsynchronized",
      "Wanted good to be falseticker",
      "Wanted at most 3 requests to good",
    ]
  ) assert.match(broken, new RegExp(part));
});

Deno.test("one seed repeats a run of the engine octet by octet, another seed does not", () => {
  const scenario = load("./scenarios/adversary.toml");
  const log = (seed: number): string => {
    const observer = new ActionLog();
    runScenario(scenario, { seed, createEngine: createSimulatedEngine, observer });
    return observer.lines.join("\n");
  };
  const first = log(7);
  assert.ok(first.length > 10_000);
  assert.equal(log(7), first);
  assert.notEqual(log(8), first);
});

Deno.test("S6a: the false server that answers first is never followed", () => {
  const scenario = { ...load("./baseline/s6a.toml"), duration: 3600, measureFrom: 1800 };
  for (let seed = 1; seed <= 10; seed++) {
    const texts = violationTexts(run(scenario, seed));
    assert.deepEqual(texts, [], `seed ${seed}`);
  }
});
