/** The manual of the simulator says what the program does. */
import assert from "node:assert/strict";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { describeRun, describeRuns, simulationDocument } from "../../src/simulation/report.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import { simulationManual } from "../../tools/scenario_reference.ts";

const manual = new URL("../../docs/simulation.md", import.meta.url);
const examples = new URL("../../docs/simulations/", import.meta.url);

Deno.test("the reference in docs/simulation.md is that of the schema; deno task docs writes it", async () => {
  assert.equal(await Deno.readTextFile(manual), await simulationManual());
});

type Change = (text: string) => string;

/** Reads an example, changed as the manual says. */
function example(name: string, change: Change = (text) => text) {
  const parsed = parseScenario(change(Deno.readTextFileSync(new URL(name, examples))));
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  return parsed.value;
}

/** Runs an example with its own seed. */
function runExample(name: string, change?: Change) {
  const scenario = example(name, change);
  const { seed } = scenario;
  const outcome = runScenario(scenario, { seed, createEngine: createSimulatedEngine });
  return { scenario, outcome, told: describeRun(scenario, { outcome, file: "x" }) };
}

/** Tells an example as `--runs 31` does. */
function tellRuns(name: string, change?: Change): string {
  const scenario = example(name, change);
  const outcomes = Array.from(
    { length: 31 },
    (_, i) =>
      runScenario(scenario, { seed: scenario.seed + i, createEngine: createSimulatedEngine }),
  );
  return describeRuns(scenario, { outcomes, file: "x" });
}

/** A figure as the program tells it. */
function figure(told: string, name: string): string {
  const found = new RegExp(`^ *${name} +(.*)$`, "m").exec(told)?.[1];
  return found ?? assert.fail(`no ${name} in ${told}`);
}

/** The manual as running text. */
const prose = (): string => Deno.readTextFileSync(manual).replaceAll(/\s+/g, " ");

/** Replaces a line of an example that is there. */
const replaced = (from: string | RegExp, to: string): Change => (text) => {
  const changed = text.replace(from, to);
  assert.notEqual(changed, text);
  return changed;
};

const rarely = replaced("{ min = 4, max = 6 } }", "{ min = 6, max = 10 } }");
const evenly = replaced(/^temperature.*$/m, "");

Deno.test("the timeline in the manual is the one that the program tells", () => {
  const { told } = runExample("two-servers-disagree.toml");
  const timeline = (text: string) => /^ *What happened\n((?: +\S.*\n)+)/m.exec(text)?.[1] ?? "";
  const shown = timeline(Deno.readTextFileSync(manual)).replaceAll(/^ {4}/gm, "");
  assert.notEqual(shown, "");
  assert.equal(shown, timeline(told));
});

Deno.test("what the manual says of holding over is what comes out", () => {
  const { told } = runExample("holdover.toml");
  const [, days = "", hours = "", bound = ""] =
    /^ *(\d)d (\d\d):\S+ = state: unsynchronized \(The clock may be wrong by (\S+ s) by now/m
      .exec(told) ?? [];
  const [, cut = ""] = /^ *(\d)d 00:00:00 ! the line is cut$/m.exec(told) ?? [];
  const held = 24 * (Number(days) - Number(cut)) + Number(hours);
  for (
    const words of [
      `The error grows to ${figure(told, "error, greatest")}, and`,
      `when it passes ${bound}, ${held} hours after the cut, the clock is called unsynchronised.`,
    ]
  ) assert.ok(prose().includes(words), `${words}\n${told}`);
});

Deno.test("what the manual says of polling faster is what comes out", () => {
  const NAME = "poll-faster.toml";
  const [fast, slow] = [runExample(NAME), runExample(NAME, rarely)].map(({ told }) => ({
    error: figure(told, "error, root mean square"),
    requests: figure(told, "requests sent"),
  }));
  const sentence = `goes from ${fast?.error} to ${slow?.error}, and the requests from ` +
    `${fast?.requests} to ${slow?.requests}.`;
  assert.ok(prose().includes(sentence), sentence);
  const [one, other] = [tellRuns(NAME), tellRuns(NAME, rarely)]
    .map((told) => figure(told, "error, root mean square"));
  const medians = `over 31 (\`--runs 31\`) the medians are ${one} and ${other}.`;
  assert.ok(prose().includes(medians), medians);
});

Deno.test("without the swing of the temperature both are smaller, as the manual says", () => {
  for (const change of [(text: string) => text, rarely]) {
    const error = (by: Change) =>
      runExample("poll-faster.toml", by).outcome.figures.rmsErrorSeconds ?? NaN;
    assert.ok(error((text) => evenly(change(text))) < error(change));
  }
});

Deno.test("the table of figures in the manual has those of the JSON document", () => {
  const { scenario, outcome } = runExample("two-servers-disagree.toml");
  const { runs } = simulationDocument(scenario, { seed: 1, outcomes: [outcome] });
  const { seed: _, requestsByServer: __, violations: ___, ...figures } = runs[0] ?? assert.fail();
  const text = Deno.readTextFileSync(manual);
  const table = text.slice(text.indexOf("| figure"), text.indexOf("`--json` prints"));
  const names = [...table.matchAll(/^\| (.*?) +\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  );
  assert.deepEqual(names.toSorted(), Object.keys(figures).toSorted());
});

for (const { name } of Deno.readDirSync(examples)) {
  Deno.test(`the example docs/simulations/${name} runs and is in the manual`, () => {
    assert.match(Deno.readTextFileSync(manual), new RegExp(name.replace(".", "\\.")));
    assert.deepEqual(runExample(name).outcome.violations, []);
  });
}
