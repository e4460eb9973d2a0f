/**
 * Random worlds, ntpsd beside a plain estimator: `deno task worlds`.
 *
 *     deno task worlds [--from N] [--count M] [--kind K] [--jobs J] [--json]
 *     deno task worlds --show N      prints the world N as a scenario for `ntpsd simulate`
 *     deno task worlds --kinds       prints the names of the kinds
 *     deno task worlds --known       runs those of CI, and writes known.json anew
 *
 * The exit status is 0 if ntpsd lost in no world, 1 if in some, 64 if an option is wrong.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { WorldOutcome } from "./judge.ts";
import { rateWorlds } from "./judge_worlds.ts";
import { CI_NUMBERS, KNOWN_FILE, readKnown } from "./known.ts";
import { kindTable, lossLines } from "./table.ts";
import { KIND_NAMES, makeWorld, worldNumbers } from "./world.ts";

const COUNT_DEFAULT = 290, JOBS_DEFAULT = 2;
const WRONG_USE = 64;

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      from: { type: "string", default: "0" },
      count: { type: "string", default: String(COUNT_DEFAULT) },
      jobs: { type: "string", default: String(JOBS_DEFAULT) },
      kind: { type: "string" },
      show: { type: "string" },
      kinds: { type: "boolean" },
      known: { type: "boolean" },
      json: { type: "boolean" },
    },
  });
  for (const text of [values.from, values.count, values.jobs, values.show ?? "0"]) {
    if (/^\d{1,9}$/.test(text)) continue;
    console.error(`Wanted a number, found ${text}`);
    return WRONG_USE;
  }
  if (values.kinds === true) return print(KIND_NAMES.join("\n"));
  if (values.show !== undefined) return print(makeWorld(Number(values.show)).text);
  if (values.known === true) return await renewKnown(Number(values.jobs));
  const { kind } = values;
  if (kind !== undefined && !KIND_NAMES.includes(kind)) {
    console.error(`No kind is called ${kind}; there are: ${KIND_NAMES.join(", ")}`);
    return WRONG_USE;
  }
  const numbers = worldNumbers(Number(values.from), { count: Number(values.count), kind });
  const begun = performance.now();
  const outcomes = await rateWorlds(numbers, Number(values.jobs));
  if (values.json === true) print(JSON.stringify(outcomes));
  else report(outcomes, (performance.now() - begun) / 1000);
  return outcomes.some(({ losses }) => losses.length > 0) ? 1 : 0;
}

/** Takes winners off the list; a reason for a new loser is for its author to write. */
async function renewKnown(jobs: number): Promise<number> {
  const outcomes = await rateWorlds(CI_NUMBERS, jobs);
  const known = await readKnown();
  const losers = outcomes.filter(({ losses }) => losses.length > 0);
  const entries = losers.map(({ number }) => [number, known[number] ?? ""]);
  const text = JSON.stringify(Object.fromEntries(entries), undefined, 2);
  await Deno.writeTextFile(KNOWN_FILE, `${text}\n`);
  const unexplained = losers.filter(({ number }) => (known[number] ?? "") === "");
  for (const text of lossLines(unexplained)) print(text);
  return unexplained.length > 0 ? 1 : 0;
}

function report(outcomes: readonly WorldOutcome[], seconds: number): void {
  const lost = lossLines(outcomes);
  const days = outcomes.reduce((sum, { simulatedSeconds }) => sum + simulatedSeconds, 0) / 86_400;
  print(kindTable(outcomes));
  print(
    `\n${outcomes.length} worlds, ${days.toFixed(0)} days, in ${seconds.toFixed(0)} s ` +
      `(${(outcomes.length / seconds).toFixed(1)} worlds a second); ntpsd loses in ${lost.length}`,
  );
  for (const text of lost) print(text);
  if (lost.length > 0) {
    print("To see one: deno task worlds --show N > world.toml; ntpsd simulate world.toml");
  }
}

function print(text: string): number {
  console.log(text);
  return 0;
}

if (import.meta.main) Deno.exit(await main());
