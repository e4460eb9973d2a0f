/**
 * Fuzzes what is named, or everything, for some time, for some executions, or until stopped.
 *
 *     deno task fuzz                                  all targets in turn, for ever, from a new seed
 *     deno task fuzz packet server --seconds 60       two targets for a minute
 *     deno task fuzz packet --executions 1000000      so many inputs
 *     deno task fuzz packet --input HEX               one input
 *     deno task fuzz --list                           what there is, and what must hold
 *
 * A failing input is kept in tests/fuzz/corpus, where the tests find it, and the exit status is 1.
 * What was tried is told as a table at the end, also when interrupted.
 *
 * @module
 */
import "../support/libc_opened.ts";
import { parseArgs } from "node:util";
import { attempt, describe, type Finding, fuzz, keepInput, octetsOf } from "./fuzzer.ts";
import { PORT_TARGETS } from "./ports.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** Targets take turns of so many times their budget in the tests, or at most of so much time. */
const TURN_BUDGETS = 20;
const TURN_MS = 5000;
const ALL = [...TARGETS, ...PORT_TARGETS];

interface Tally {
  executions: number;
  milliseconds: number;
}

Deno.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      input: { type: "string" },
      list: { type: "boolean", default: false },
      seconds: { type: "string", default: "Infinity" },
      executions: { type: "string", default: "Infinity" },
      seed: { type: "string", default: String(Date.now() % 1e9) },
    },
  });
  const unknown = positionals.filter((name) => !ALL.some((target) => target.name === name));
  if (unknown.length > 0) {
    const known = ALL.map(({ name }) => name).join(", ");
    console.error(`There is no target ${unknown.join(", ")}; there are ${known}`);
    return 64;
  }
  const wanted = ALL.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  if (values.list) {
    for (const { name, oracle } of wanted) console.log(`${name.padEnd(20)} ${oracle}`);
    return 0;
  }
  if (values.input !== undefined) return await tryOne(wanted, values.input);
  return await run(wanted, {
    seconds: Number(values.seconds),
    executions: Number(values.executions),
    seed: Number(values.seed),
  });
}

async function tryOne(targets: readonly FuzzTarget[], input: string): Promise<number> {
  for (const target of targets) {
    const finding = await attempt(target, octetsOf(input));
    await target.close?.();
    if (finding === undefined) continue;
    console.error(describe(finding));
    return 1;
  }
  console.log("All holds");
  return 0;
}

/**
 * Lets the targets take turns; each has a part of the executions that is as its budget in the
 * tests.
 */
async function run(
  targets: readonly FuzzTarget[],
  limits: { readonly seconds: number; readonly executions: number; readonly seed: number },
): Promise<number> {
  const end = performance.now() + limits.seconds * 1000;
  const budgets = targets.reduce((sum, { budget }) => sum + budget, 0);
  const shareOf = ({ budget }: FuzzTarget) => Math.ceil(limits.executions * budget / budgets);
  const tallies = new Map(targets.map(({ name }) => [name, { executions: 0, milliseconds: 0 }]));
  console.log(`Fuzzing ${targets.map(({ name }) => name).join(", ")} from seed ${limits.seed}`);
  let isInterrupted = false;
  Deno.addSignalListener("SIGINT", () => isInterrupted = true);
  Deno.addSignalListener("SIGTERM", () => isInterrupted = true);
  let status = 0;
  for (let turn = 0; status === 0 && !isInterrupted && performance.now() < end; turn++) {
    const left = targets.filter((target) =>
      (tallies.get(target.name)?.executions ?? 0) < shareOf(target)
    );
    if (left.length === 0) break;
    for (const target of left) {
      const tally = tallies.get(target.name);
      if (tally === undefined || isInterrupted) break;
      const finding = await takeTurn(target, {
        tally,
        seed: (limits.seed + turn) >>> 0,
        executions: Math.min(shareOf(target) - tally.executions, TURN_BUDGETS * target.budget),
        milliseconds: Math.min(TURN_MS, Math.max(1, end - performance.now())),
      });
      // so that signals are heard
      await new Promise((resolve) => setTimeout(resolve));
      if (finding === undefined) continue;
      keep(finding);
      status = 1;
      break;
    }
  }
  for (const target of targets) await target.close?.();
  tell(tallies);
  return status;
}

async function takeTurn(
  target: FuzzTarget,
  options: {
    readonly tally: Tally;
    readonly seed: number;
    readonly executions: number;
    readonly milliseconds: number;
  },
): Promise<Finding | undefined> {
  const begin = performance.now();
  const { executions, finding } = await fuzz(target, options);
  options.tally.executions += executions;
  options.tally.milliseconds += performance.now() - begin;
  return finding;
}

function keep(finding: Finding): void {
  console.error(describe(finding));
  keepInput(finding.target, octetsOf(finding.input));
  console.error(`The input is kept in tests/fuzz/corpus/${finding.target}`);
}

function tell(tallies: ReadonlyMap<string, Tally>): void {
  let executions = 0, milliseconds = 0;
  const line = (name: string, tally: Tally) => {
    const rate = Math.round(tally.executions / Math.max(1e-3, tally.milliseconds / 1000));
    const count = String(tally.executions).padStart(10);
    const seconds = (tally.milliseconds / 1000).toFixed(1).padStart(9);
    console.log(`${name.padEnd(20)} ${count} ${seconds} s ${String(rate).padStart(8)}/s`);
  };
  for (const [name, tally] of tallies) {
    executions += tally.executions;
    milliseconds += tally.milliseconds;
    line(name, tally);
  }
  line("total", { executions, milliseconds });
}
