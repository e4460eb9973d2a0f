/**
 * Random worlds, ntpsd beside a plain estimator: `deno task worlds`.
 *
 *     deno task worlds [--from N] [--count M] [--kind K] [--jobs J] [--json]
 *     deno task worlds --show N      prints the world N as a scenario for `ntpsd simulate`
 *     deno task worlds --kinds       prints the names of the kinds
 *
 * The exit status is 0 if ntpsd lost in no world, 1 if in some, 64 if an option is wrong.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { WorkerPool } from "../support/worker_pool.ts";
import type { WorldOutcome } from "./judge.ts";
import { kindTable, lossLines } from "./table.ts";
import { KIND_NAMES, makeWorld, worldNumbers } from "./world.ts";

const COUNT_DEFAULT = 290, JOBS_DEFAULT = 2;
const WRONG_USE = 64;

/** Judges worlds by so many threads; the outcomes are in the order of the numbers. */
export async function judgeWorlds(
  numbers: readonly number[],
  jobs: number,
): Promise<readonly WorldOutcome[]> {
  const pool = new WorkerPool<number, WorldOutcome>(new URL("./worker.ts", import.meta.url), jobs);
  try {
    return await Promise.all(numbers.map((number) => pool.run(number)));
  } finally {
    pool.close();
  }
}

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
      json: { type: "boolean" },
    },
  });
  if (values.kinds === true) return print(KIND_NAMES.join("\n"));
  if (values.show !== undefined) return print(makeWorld(Number(values.show)).text);
  const { kind } = values;
  if (kind !== undefined && !KIND_NAMES.includes(kind)) {
    console.error(`No kind is called ${kind}; there are: ${KIND_NAMES.join(", ")}`);
    return WRONG_USE;
  }
  const numbers = worldNumbers(Number(values.from), { count: Number(values.count), kind });
  const begun = performance.now();
  const outcomes = await judgeWorlds(numbers, Number(values.jobs));
  if (values.json === true) print(JSON.stringify(outcomes));
  else report(outcomes, (performance.now() - begun) / 1000);
  return outcomes.some(({ losses }) => losses.length > 0) ? 1 : 0;
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
