/**
 * What the packets are worth: the error of the clock against the number of requests.
 *
 * Each scenario runs at fixed poll intervals, which gives a curve, and with the limits that it has,
 * which gives the point that the poll policy chooses. The figures of chrony are those of
 * `discipline.ts`, where they are known. Packets are the requests to the server that is asked most,
 * from 10,000 s to 40,000 s; all figures are medians over the seeds.
 *
 *     deno task bench:polls [--seeds N] [--only S1,LOSS] [--polls 4,6,8,10]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { median, medianFigures } from "../../src/simulation/statistics.ts";
import { WorkerPool } from "../support/worker_pool.ts";
import type { BenchResult, BenchTask } from "./discipline_worker.ts";

/** Where a program stands: requests in the measured part, and RMS error in microseconds. */
type Point = readonly [packets: number, rms: number];

interface Row {
  readonly name: string;
  /** Below tests/simulation. */
  readonly file: string;
  /** What chrony reached with the limits of the scenario. */
  readonly chrony?: Point;
}

const ROWS: readonly Row[] = [
  { name: "S1", file: "baseline/s1", chrony: [464, 5.6] },
  { name: "S2", file: "baseline/s2", chrony: [29, 449] },
  { name: "S4", file: "baseline/s4", chrony: [29, 442] },
  { name: "S6", file: "baseline/s6", chrony: [29, 498] },
  { name: "BACK", file: "polls/back", chrony: [464, 8.5] },
  { name: "LOSS", file: "scenarios/half-is-lost" },
  { name: "OUT", file: "scenarios/hourly-outages" },
  { name: "W7", file: "polls/w7" },
  { name: "W10lan", file: "polls/w10lan" },
];

const LIMITS = /poll-interval-limits = \{[^}]*\}\n(initial-poll-interval = \d+\n)?/;
const POLLS_DEFAULT = "4,5,6,7,8,9,10", SEEDS_DEFAULT = "7", THREADS = 2;

type Pool = WorkerPool<BenchTask, BenchResult>;

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      seeds: { type: "string", default: SEEDS_DEFAULT },
      only: { type: "string" },
      polls: { type: "string", default: POLLS_DEFAULT },
    },
  });
  const seeds = Number(values.seeds), polls = values.polls.split(",").map(Number);
  const only = values.only?.split(",");
  const pool: Pool = new WorkerPool(new URL("./discipline_worker.ts", import.meta.url), THREADS);
  console.log(`packets: RMS error in us, medians over ${seeds} seeds`);
  console.log(cells(["", "chrony", "chosen", ...polls.map((poll) => `poll ${poll}`)]));
  for (const row of ROWS.filter(({ name }) => only?.includes(name) ?? true)) {
    const text = await Deno.readTextFile(
      new URL(`../simulation/${row.file}.toml`, import.meta.url),
    );
    const texts = [text, ...polls.map((poll) => withFixedPoll(text, poll))];
    const points = await Promise.all(texts.map((text) => measure(text, { pool, seeds })));
    console.log(
      cells([row.name, row.chrony === undefined ? "-" : show(row.chrony), ...points.map(show)]),
    );
  }
  pool.close();
}

/** Returns the scenario with one poll interval, which holds from the start. */
function withFixedPoll(text: string, poll: number): string {
  const fixed = text.replace(LIMITS, `poll-interval-limits = { min = ${poll}, max = ${poll} }\n`);
  if (fixed === text) throw new Error("The scenario has no poll-interval-limits");
  return fixed;
}

async function measure(
  text: string,
  { pool, seeds }: { pool: Pool; seeds: number },
): Promise<Point> {
  const results = await Promise.all(
    Array.from({ length: seeds }, (_, i) => pool.run({ text, seed: i + 1, withBound: false })),
  );
  const { rmsErrorSeconds } = medianFigures(results.map(({ figures }) => figures));
  return [median(results.map(({ requests }) => requests)), (rmsErrorSeconds ?? NaN) * 1e6];
}

function show([packets, rms]: Point): string {
  return `${packets.toFixed(0)}: ${rms.toFixed(rms < 100 ? 1 : 0)}`;
}

function cells(texts: readonly string[]): string {
  return texts.map((text, i) => i === 0 ? text.padEnd(7) : text.padStart(11)).join(" ");
}

if (import.meta.main) await main();
