/** The bounded run of the scenario fuzzer; `deno run -P=tests tests/fuzz/odd_scenario.ts FIRST COUNT` is the long one. */
import assert from "node:assert/strict";
import { parseScenario } from "../../src/simulation/scenario_parse.ts";
import { runOddScenario } from "./odd_scenario.ts";

const FIRST = 101, COUNT = 60;

Deno.test("any scenario is run or refused with a reason", () => {
  let ran = 0;
  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    try {
      if (runOddScenario(seed)) ran++;
    } catch (error) {
      assert.fail(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  assert.ok(ran > COUNT / 10, `only ${ran} of ${COUNT} were run`);
});

Deno.test("a sleep that would turn the boot-time clock back is refused, at its key", () => {
  const scenario = (error: string) =>
    parseScenario(`name = "sleep"\nduration = "1h"\n[[server]]\nname = "a"\n
[[event]]\nat = "10m"\nkind = "suspend"\nduration = "10s"\nerror = "${error}"\n`);
  const refused = scenario("-11s");
  assert.ok(!refused.ok);
  assert.deepEqual(refused.error.map(({ path }) => path), ["event[0].error"]);
  assert.ok(scenario("-10s").ok);
  assert.ok(scenario("1h").ok);
});
