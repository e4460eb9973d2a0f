/**
 * Runs seeds of a scenario in a thread of its own, for `discipline.ts` and `polls.ts`.
 *
 * @module
 */
import { createSimulatedEngine } from "../../src/simulation/engine_factory.ts";
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import type { RunFigures } from "../../src/simulation/statistics.ts";
import type { Action } from "../../src/engine/events.ts";
import { answerTasks } from "../support/worker_pool.ts";
import { possibleRms, type SentRequest } from "./possible_bound.ts";

/** What the thread is asked. */
export interface BenchTask {
  readonly text: string;
  readonly seed: number;
  /** Whether the bound is wanted, which takes most of the time. */
  readonly withBound: boolean;
}

/** What it answers. */
export interface BenchResult {
  readonly seed: number;
  readonly figures: RunFigures;
  readonly violations: readonly string[];
  /** Requests to the server that is asked most, in the measured part. */
  readonly requests: number;
  /** Seconds between them. */
  readonly secondsPerRequest: number;
  /** The RMS error of an estimator with the same packets that is told all but the clock; or NaN. */
  readonly possibleRmsSeconds: number;
}

/** Runs one seed. */
function runTask({ text, seed, withBound }: BenchTask): BenchResult {
  const parsed = parseScenario(text);
  if (!parsed.ok) throw new Error(parsed.error.map((error) => error.message).join("; "));
  const scenario = parsed.value;
  const counts = new Map<string, number>();
  const requests: SentRequest[] = [];
  const observer = {
    sample(): void {},
    snapshot(): void {},
    happened(): void {},
    action(time: number, action: Action): void {
      if (action.type !== "send") return;
      const { address } = action.destination;
      requests.push({ time, address });
      if (time >= scenario.measureFrom) counts.set(address, (counts.get(address) ?? 0) + 1);
    },
  };
  const outcome = runScenario(scenario, { seed, createEngine: createSimulatedEngine, observer });
  const span = scenario.duration - scenario.measureFrom;
  const most = Math.max(...counts.values());
  return {
    seed,
    figures: outcome.figures,
    violations: outcome.violations.map(({ message }) => message),
    requests: most,
    secondsPerRequest: span / most,
    possibleRmsSeconds: withBound ? possibleRms({ scenario, seed, requests }) : NaN,
  };
}

answerTasks(runTask);
