/**
 * Runs scenarios: one or many runs from seeds, watched and judged.
 *
 * @module
 */
import type { EngineSnapshot } from "../engine/status/snapshot.ts";
import { Checker, type Violation } from "./checker.ts";
import type { DrivenEngine, EngineSeed } from "./engine_factory.ts";
import { type Observer, Observers } from "./observer.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { type RunFigures, RunStatistics } from "./statistics.ts";
import { Timeline, type TimelineEntry } from "./timeline.ts";
import { Trace, type TracePoint } from "./trace.ts";
import { World } from "./world.ts";

/** What one run brought. */
export interface RunOutcome {
  /** The seed that repeats it. */
  readonly seed: number;
  /** How well the clock was kept. */
  readonly figures: RunFigures;
  /** What was wrong. */
  readonly violations: readonly Violation[];
  /** What happened. */
  readonly timeline: readonly TimelineEntry[];
  /** How many lines of the timeline were left out. */
  readonly timelineDropped: number;
  /** The course of the run, for a plot. */
  readonly trace: readonly TracePoint[];
  /** Requests to each server, by its name. */
  readonly requests: Readonly<Record<string, number>>;
  /** What ntpsd said of itself at the end. */
  readonly last: EngineSnapshot | undefined;
  /** The sentence with which ntpsd exited, if a panic threshold was exceeded. */
  readonly panic: string | undefined;
}

/** What a run needs besides its scenario. */
export interface RunOptions {
  /** The seed that repeats it. */
  readonly seed: number;
  /** Makes the engine that is driven. */
  readonly createEngine: (seed: EngineSeed) => DrivenEngine;
  /** Watches as well. */
  readonly observer?: Observer;
}

/** Runs a scenario once. The same scenario and seed bring the same outcome. */
export function runScenario(scenario: Scenario, options: RunOptions): RunOutcome {
  const statistics = new RunStatistics(scenario.measureFrom);
  const timeline = new Timeline(scenario);
  const checker = new Checker(scenario);
  const trace = new Trace(scenario.duration);
  const observers = [statistics, timeline, checker, trace];
  const world = new World({
    scenario,
    seed: options.seed,
    createEngine: options.createEngine,
    observer: new Observers(
      options.observer === undefined ? observers : [...observers, options.observer],
    ),
  });
  const panic = world.run();
  const figures = statistics.figures();
  const requests = world.requests();
  return {
    seed: options.seed,
    figures,
    violations: checker.finish(figures, { panic, requests }),
    timeline: timeline.lines,
    timelineDropped: timeline.dropped,
    trace: trace.points,
    requests,
    last: timeline.last,
    panic,
  };
}
