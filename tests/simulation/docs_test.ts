/** The manual of the simulator says what the program does. */
import assert from "node:assert/strict";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario_parse.ts";
import { scenarioReference } from "../../src/simulation/scenario_reference.ts";

const manual = new URL("../../docs/simulation.md", import.meta.url);
const examples = new URL("../../docs/simulations/", import.meta.url);

Deno.test("the reference in docs/simulation.md is that of the schema", () => {
  const text = Deno.readTextFileSync(manual);
  const begin = text.indexOf("-->\n", text.indexOf("<!-- keys:")) + 4;
  const end = text.indexOf("<!-- /keys -->");
  assert.ok(begin > 4 && end > begin - 1);
  const current = `\n${scenarioReference()}\n\n`;
  if (Deno.env.get("NTPSD_WRITE_DOCS") === "1") {
    Deno.writeTextFileSync(manual, text.slice(0, begin) + current + text.slice(end));
    return;
  }
  // The formatter aligns tables; only their text matters.
  const plain = (markdown: string): string => markdown.replaceAll(/[ -]/g, "");
  assert.equal(plain(text.slice(begin, end)), plain(current));
});

for (const { name } of Deno.readDirSync(examples)) {
  Deno.test(`the example docs/simulations/${name} runs and is in the manual`, () => {
    assert.match(Deno.readTextFileSync(manual), new RegExp(name.replace(".", "\\.")));
    const parsed = parseScenario(Deno.readTextFileSync(new URL(name, examples)));
    assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
    const outcome = runScenario(parsed.value, {
      seed: parsed.value.seed,
      createEngine: createSimulatedEngine,
    });
    assert.deepEqual(outcome.violations, []);
  });
}
