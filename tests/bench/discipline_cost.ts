/**
 * What the engine costs: the time of an update, of a simulated day, and memory over a simulated
 * month.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import type { Scenario } from "../../src/simulation/scenario/scenario.ts";
import type { DrivenEngine, EngineSeed } from "../../src/simulation/engine_factory.ts";
import { World } from "../../src/simulation/world.ts";
import { median } from "../../src/simulation/statistics.ts";

/** What was measured. */
export interface Cost {
  /**
   * Time of one answer through the whole engine with 8 sources (lower quartile), in microseconds.
   */
  readonly updateMicroseconds: number;
  /** Processor time of a simulated day with 4 sources at poll 6, in seconds. */
  readonly daySeconds: number;
  /** Growth of the heap from the first week to the end of a simulated month, in octets. */
  readonly monthGrowthBytes: number;
}

/** Measures all three; takes some seconds. */
function measureCost(): Cost {
  return { updateMicroseconds: update(), daySeconds: day(), monthGrowthBytes: month() };
}

function world(options: { sources: number; days: number; poll: number }): Scenario {
  const { sources, days, poll } = options;
  const parsed = parseScenario(`name = "cost"
    duration = "${days}d"
    clock = { wander = 1e-9 }
    server = [{ name = "a", count = ${sources} }]
    [ntpsd.source-defaults]
    poll-interval-limits = { min = ${poll}, max = ${poll} }
    initial-poll-interval = ${poll}`);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

function update(): number {
  const times: number[] = [];
  const createEngine = (seed: EngineSeed): DrivenEngine => {
    const engine = createSimulatedEngine(seed);
    return {
      nextWakeup: () => engine.nextWakeup(),
      snapshot: (now) => engine.snapshot(now),
      handle(event, now) {
        const start = performance.now();
        const actions = engine.handle(event, now);
        if (event.type === "datagram") times.push(performance.now() - start);
        return actions;
      },
    };
  };
  runScenario(world({ sources: 8, days: 1, poll: 6 }), { seed: 1, createEngine });
  // The first hours are for the compiler. On a busy machine only the fastest quarter had the
  // processor to itself.
  const warm = times.slice(times.length >> 1).toSorted((a, b) => a - b);
  return (warm[warm.length >> 2] ?? NaN) * 1000;
}

function day(): number {
  const scenario = world({ sources: 4, days: 1, poll: 6 });
  const runs = [1, 2, 3].map((seed) => {
    const before = cpuUsage();
    runScenario(scenario, { seed, createEngine: createSimulatedEngine });
    const { user, system } = cpuUsage(before);
    return (user + system) / 1e6;
  });
  return median(runs);
}

/** Counts the heap after a collection, if the program was started so that it may ask for one. */
function month(): number {
  const collect = (globalThis as { gc?: () => void }).gc;
  const heap = (): number => {
    collect?.();
    return Deno.memoryUsage().heapUsed;
  };
  let atWeek = 0, atEnd = 0;
  const observer = {
    sample(time: number): void {
      if (Math.abs(time - 7 * 86_400) < 1) atWeek = heap();
      if (Math.abs(time - 30 * 86_400) < 1) atEnd = heap();
    },
    snapshot(): void {},
    action(): void {},
    happened(): void {},
  };
  const scenario = world({ sources: 4, days: 30, poll: 8 });
  // The world alone: whoever collects figures may grow.
  new World({ scenario, seed: 1, createEngine: createSimulatedEngine, observer }).run();
  return atEnd - atWeek;
}

if (import.meta.main) {
  const { updateMicroseconds, daySeconds, monthGrowthBytes } = measureCost();
  console.log(
    `one answer with 8 sources: ${updateMicroseconds.toFixed(1)} us (lower quartile)`,
  );
  console.log(`a simulated day, 4 sources at poll 6: ${daySeconds.toFixed(2)} s of processor time`);
  console.log(`heap from week 1 to day 30, 4 sources: ${(monthGrowthBytes / 1024).toFixed(0)} KiB`);
}
