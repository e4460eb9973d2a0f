/**
 * Runs seeds of a scenario in a thread of its own, for `discipline.ts`.
 *
 * @module
 */
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import type { RunFigures } from "../../src/simulation/statistics.ts";
import type { Action } from "../../src/engine/events.ts";
import { answerTasks } from "../support/worker_pool.ts";

/** What the thread is asked. */
export interface BenchTask {
  readonly text: string;
  readonly seed: number;
}

/** What it answers. */
export interface BenchResult {
  readonly seed: number;
  readonly figures: RunFigures;
  readonly violations: readonly string[];
  /** Seconds between requests to the server that is asked most, over the measured part. */
  readonly secondsPerRequest: number;
}

/** Runs one seed. */
function runTask({ text, seed }: BenchTask): BenchResult {
  const parsed = parseScenario(text);
  if (!parsed.ok) throw new Error(parsed.error.map((error) => error.message).join("; "));
  const scenario = parsed.value;
  const requests = new Map<string, number>();
  const observer = {
    sample(): void {},
    snapshot(): void {},
    happened(): void {},
    action(time: number, action: Action): void {
      if (action.type !== "send" || time < scenario.measureFrom) return;
      const { address } = action.destination;
      requests.set(address, (requests.get(address) ?? 0) + 1);
    },
  };
  const outcome = runScenario(scenario, { seed, createEngine: createSimulatedEngine, observer });
  const span = scenario.duration - scenario.measureFrom;
  return {
    seed,
    figures: outcome.figures,
    violations: outcome.violations.map(({ message }) => message),
    secondsPerRequest: span / Math.max(...requests.values()),
  };
}

answerTasks(runTask);
