/** The manual of the simulator says what the program does. */
import assert from "node:assert/strict";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { describeRun } from "../../src/simulation/report.ts";
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

/** Runs an example with its own seed, changed as the manual says. */
function runExample(name: string, change: (text: string) => string = (text) => text) {
  const parsed = parseScenario(change(Deno.readTextFileSync(new URL(name, examples))));
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  const scenario = parsed.value;
  const outcome = runScenario(scenario, {
    seed: scenario.seed,
    createEngine: createSimulatedEngine,
  });
  return { scenario, outcome };
}

Deno.test("the timeline in the manual is the one that the program tells", () => {
  const { scenario, outcome } = runExample("two-servers-disagree.toml");
  const told = describeRun(scenario, { outcome, file: "x" });
  const timeline = (text: string) => /^ *What happened\n((?: +\S.*\n)+)/m.exec(text)?.[1] ?? "";
  const shown = timeline(Deno.readTextFileSync(manual)).replaceAll(/^ {4}/gm, "");
  assert.notEqual(shown, "");
  assert.equal(shown, timeline(told));
});

Deno.test("what the manual says of polling faster is what comes out", () => {
  const rarely = (text: string) => {
    const changed = text.replace("{ min = 4, max = 6 } }", "{ min = 6, max = 10 } }");
    assert.notEqual(changed, text);
    return changed;
  };
  const [fast, slow] = [undefined, rarely].map((change) => {
    const { scenario, outcome } = runExample("poll-faster.toml", change);
    const told = describeRun(scenario, { outcome, file: "x" });
    const error = /error, root mean square +(.*)/.exec(told)?.[1];
    const requests = /requests sent +(.*)/.exec(told)?.[1];
    assert.ok(error !== undefined && requests !== undefined, told);
    return { error, requests };
  });
  const text = Deno.readTextFileSync(manual).replaceAll(/\s+/g, " ");
  const sentence = `goes from ${fast?.error} to ${slow?.error}, and the requests from ` +
    `${fast?.requests} to ${slow?.requests}.`;
  assert.ok(text.includes(sentence), sentence);
});

for (const { name } of Deno.readDirSync(examples)) {
  Deno.test(`the example docs/simulations/${name} runs and is in the manual`, () => {
    assert.match(Deno.readTextFileSync(manual), new RegExp(name.replace(".", "\\.")));
    assert.deepEqual(runExample(name).outcome.violations, []);
  });
}
