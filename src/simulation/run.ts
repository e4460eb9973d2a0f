/**
 * Runs scenarios: one or many runs from seeds, watched and judged.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { Action } from "../engine/events.ts";
import type { EngineSnapshot } from "../engine/status/snapshot.ts";
import { Checker, type Violation } from "./checker.ts";
import type { Scenario, TimelineEvent } from "./scenario.ts";
import { type RunFigures, RunStatistics } from "./statistics.ts";
import { Story, type StoryLine } from "./story.ts";
import { Trace, type TracePoint } from "./trace.ts";
import {
  type ClockTruth,
  type DrivenEngine,
  type EngineSeed,
  type Observer,
  World,
} from "./world.ts";

/** What one run brought. */
export interface RunOutcome {
  /** The seed that repeats it. */
  readonly seed: number;
  /** How well the clock was kept. */
  readonly figures: RunFigures;
  /** What was wrong. */
  readonly violations: readonly Violation[];
  /** What happened. */
  readonly story: readonly StoryLine[];
  /** How many lines of the story were left out. */
  readonly storyDropped: number;
  /** The course of the run, for a plot. */
  readonly trace: readonly TracePoint[];
  /** Requests to each server, by its name. */
  readonly requests: Readonly<Record<string, number>>;
  /** What ntpsd said of itself at the end. */
  readonly last: EngineSnapshot | undefined;
  /** The sentence with which the daemon gave up, if it did. */
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
  const story = new Story(scenario);
  const checker = new Checker(scenario);
  const trace = new Trace(scenario.duration);
  const observers = [statistics, story, checker, trace];
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
    violations: checker.verdict(figures, { panic, requests }),
    story: story.lines,
    storyDropped: story.dropped,
    trace: trace.points,
    requests,
    last: story.last,
    panic,
  };
}

/** Several observers as one. */
class Observers implements Observer {
  readonly #observers: readonly Observer[];

  constructor(observers: readonly Observer[]) {
    this.#observers = observers;
  }

  sample(time: Seconds, clock: ClockTruth): void {
    for (const observer of this.#observers) observer.sample(time, clock);
  }

  snapshot(time: Seconds, observed: { snapshot: EngineSnapshot; clock: ClockTruth }): void {
    for (const observer of this.#observers) observer.snapshot(time, observed);
  }

  action(time: Seconds, action: Action): void {
    for (const observer of this.#observers) observer.action(time, action);
  }

  happened(time: Seconds, event: TimelineEvent): void {
    for (const observer of this.#observers) observer.happened(time, event);
  }
}
