/**
 * How well ntpsd keeps a clock, beside chrony and NTPsec: `deno task bench:discipline`.
 *
 * The same physics for all (docs/simulation.md): 40,000 simulated seconds, 31 seeds, medians; the
 * error of the clock once a simulated second from 10,000 s on. The figures of chrony and NTPsec are
 * those that the real programs reached in an independent simulator of the same physics. The last
 * columns are what an estimator reaches that has the packets of ntpsd and is told all but the clock
 * (possible_bound.ts), which no daemon can know, and the ratio of ntpsd to it.
 *
 *     deno task bench:discipline [--json] [--seeds N] [--only S1,S2f]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { median, medianFigures } from "../../src/simulation/statistics.ts";
import { WorkerPool } from "../support/worker_pool.ts";
import type { BenchResult, BenchTask } from "./discipline_worker.ts";

interface Row {
  readonly name: string;
  readonly file: string;
  readonly polls: string;
  /** RMS and greatest error in microseconds. */
  readonly chrony: readonly [number, number];
  readonly ntpsec: readonly [number, number] | undefined;
  /** When chrony holds 1 ms and 100 us; the tables' words. */
  readonly chronyHolds: string;
  readonly chronySecondsPerRequest: number;
  /** The ratio of the RMS errors that is aimed at. */
  readonly goal: number;
}

const ROWS: readonly Row[] = [
  {
    name: "S1",
    file: "s1",
    polls: "4..6",
    chrony: [5.6, 21],
    ntpsec: [16.2, 45],
    chronyHolds: "6 / 6",
    chronySecondsPerRequest: 65,
    goal: 0.65,
  },
  {
    name: "S2",
    file: "s2",
    polls: "6..10",
    chrony: [449, 881],
    ntpsec: [444, 875],
    chronyHolds: "88 / 3631",
    chronySecondsPerRequest: 1034,
    goal: 0.8,
  },
  {
    name: "S2f",
    file: "s2f",
    polls: "6..6",
    chrony: [106, 305],
    ntpsec: [143, 537],
    chronyHolds: "88 / 2088",
    chronySecondsPerRequest: 65,
    goal: 0.65,
  },
  {
    name: "S3f",
    file: "s3f",
    polls: "6..6",
    chrony: [1063, 3052],
    ntpsec: [1429, 5360],
    chronyHolds: "2090 / never",
    chronySecondsPerRequest: 65,
    goal: 0.65,
  },
  {
    name: "S4",
    file: "s4",
    polls: "6..10",
    chrony: [442, 771],
    ntpsec: [315, 618],
    chronyHolds: "80 / 1098",
    chronySecondsPerRequest: 1034,
    goal: 0.8,
  },
  {
    name: "S6",
    file: "s6",
    polls: "6..10",
    chrony: [498, 854],
    ntpsec: [1280, 2556],
    chronyHolds: "88 / 1484",
    chronySecondsPerRequest: 1034,
    goal: 0.8,
  },
  {
    name: "S6f",
    file: "s6f",
    polls: "6..6",
    chrony: [67, 174],
    ntpsec: [105, 304],
    chronyHolds: "88 / 1325",
    chronySecondsPerRequest: 65,
    goal: 0.65,
  },
  {
    name: "S6a",
    file: "s6a",
    polls: "6..10",
    chrony: [384, 731],
    ntpsec: undefined,
    chronyHolds: "-",
    chronySecondsPerRequest: 1034,
    goal: 0.8,
  },
];

const MEASURE_FROM = 10_000, DURATION = 40_000;
const THREADS = 2;
/**
 * The scenario in which not the error but the company is the matter, and how many seeds judge it.
 */
const COMPANY = "S6a", COMPANY_SEEDS = 100;

type Pool = WorkerPool<BenchTask, BenchResult>;

interface Outcome {
  readonly row: Row;
  readonly results: readonly BenchResult[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: { json: { type: "boolean" }, seeds: { type: "string" }, only: { type: "string" } },
  });
  const seeds = Number(values.seeds ?? 31);
  const only = values.only?.split(",");
  const rows = ROWS.filter((row) => only === undefined || only.includes(row.name));
  const pool: Pool = new WorkerPool(new URL("./discipline_worker.ts", import.meta.url), THREADS);
  const outcomes = await Promise.all(rows.map((row) => measure(row, { pool, seeds })));
  pool.close();
  if (values.json === true) console.log(JSON.stringify(outcomes.flatMap(jsonRows)));
  else printTable(outcomes, seeds);
}

async function measure(
  row: Row,
  { pool, seeds }: { pool: Pool; seeds: number },
): Promise<Outcome> {
  const url = new URL(`../simulation/baseline/${row.file}.toml`, import.meta.url);
  const text = await Deno.readTextFile(url);
  const count = row.name === COMPANY ? Math.round(seeds * COMPANY_SEEDS / 31) : seeds;
  const results = await Promise.all(
    Array.from({ length: count }, (_, i) => pool.run({ text, seed: i + 1, withBound: true })),
  );
  return { row, results };
}

function rmsMicroseconds(outcome: Outcome): number {
  return (medianFigures(outcome.results.map((r) => r.figures)).rmsErrorSeconds ?? NaN) * 1e6;
}

function boundMicroseconds({ results }: Outcome): number {
  return median(results.map((r) => r.possibleRmsSeconds)) * 1e6;
}

function jsonRows(outcome: Outcome): unknown[] {
  const { row, results } = outcome;
  const ntpsd = rmsMicroseconds(outcome);
  const rows: unknown[] = [{
    name: `${row.name} RMS error`,
    ntpsd,
    peer: row.chrony[0],
    unit: "us",
    ratio: ntpsd / row.chrony[0],
    goal: row.goal,
    rounds: results.length,
    bound: boundMicroseconds(outcome),
    secondsPerRequest: median(results.map((r) => r.secondsPerRequest)),
    peerSecondsPerRequest: row.chronySecondsPerRequest,
  }];
  if (row.name === COMPANY) {
    rows.push({
      name: `${row.name} seeds that kept to the good servers`,
      ntpsd: results.filter((r) => r.violations.length === 0).length,
      peer: null,
      unit: "seeds",
      ratio: null,
      goal: results.length,
      rounds: results.length,
    });
  }
  return rows;
}

const COLUMNS = [
  ["", 4],
  ["polls", 6],
  ["ntpsd", 14],
  ["chrony", 14],
  ["NTPsec", 14],
  ["ratio", 6],
  ["goal", 5],
  ["holds 1 ms / 100 us from (s)", 29],
  ["chrony", 13],
  ["s/packet", 9],
  ["chrony", 7],
  ["bound", 6],
  ["ratio", 6],
] as const;

function printTable(outcomes: readonly Outcome[], seeds: number): void {
  console.log(
    `RMS / greatest error in us, medians over ${seeds} seeds, ${DURATION} s, from ${MEASURE_FROM} s on`,
  );
  console.log(COLUMNS.map(([title, width]) => title.padStart(width)).join(" "));
  for (const outcome of outcomes) {
    const cells = tableCells(outcome);
    console.log(COLUMNS.map(([, width], i) => (cells[i] ?? "").padStart(width)).join(" "));
  }
  for (const { row, results } of outcomes) {
    const broken = results.filter((r) => r.violations.length > 0);
    if (row.name === COMPANY) {
      console.log(
        `${row.name}: kept to the good servers in ${
          results.length - broken.length
        } of ${results.length} seeds`,
      );
    }
    for (const { seed, violations } of broken.slice(0, 3)) {
      console.log(`${row.name}, seed ${seed}: ${violations[0] ?? ""}`);
      console.log(
        `  to see it again: ntpsd simulate tests/simulation/baseline/${row.file}.toml --seed ${seed}`,
      );
    }
  }
}

function tableCells(outcome: Outcome): readonly string[] {
  const { row, results } = outcome;
  const bound = boundMicroseconds(outcome);
  const figures = medianFigures(results.map((r) => r.figures));
  const rms = (figures.rmsErrorSeconds ?? NaN) * 1e6;
  const pair = (a: number, b: number): string => `${digits(a)} / ${digits(b)}`;
  const time = (value: number | null): string => value === null ? "never" : value.toFixed(0);
  return [
    row.name,
    row.polls,
    pair(rms, (figures.maxErrorSeconds ?? NaN) * 1e6),
    pair(...row.chrony),
    row.ntpsec === undefined ? "-" : pair(...row.ntpsec),
    (rms / row.chrony[0]).toFixed(2),
    row.goal.toFixed(2),
    `${time(figures.timeTo1msSeconds)} / ${time(figures.timeTo100usSeconds)}`,
    row.chronyHolds,
    median(results.map((r) => r.secondsPerRequest)).toFixed(1),
    String(row.chronySecondsPerRequest),
    digits(bound),
    (rms / bound).toFixed(2),
  ];
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

if (import.meta.main) await main();
