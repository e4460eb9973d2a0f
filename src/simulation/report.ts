/**
 * What a simulation is told as: a JSON document for programs, a page of text for people.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import { formatElapsed } from "./date.ts";
import type { RunOutcome } from "./run.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { medianFigures, type RunFigures } from "./statistics.ts";
import { formatSeconds, SourceNames } from "./timeline.ts";

/** The document of `ntpsd simulate --json`. */
export interface SimulationDocument {
  /** The seed of the run, or of the first. */
  readonly seed: number;
  /** The name of the scenario. */
  readonly scenario: string;
  /** How long each run lasted. */
  readonly durationSeconds: Seconds;
  /** Each run. */
  readonly runs: readonly RunDocument[];
  /** The medians over the runs. */
  readonly median: RunFigures;
}

/** One run in the document. */
export interface RunDocument extends RunFigures {
  /** The seed of the run, or of the first. */
  readonly seed: number;
  /** Requests that reached or would have reached each server, by its name. */
  readonly requestsByServer: Readonly<Record<string, number>>;
  /** What was wrong, in sentences with the time. */
  readonly violations: readonly string[];
}

/** How many lines of the timeline a reader gets. */
const TIMELINE_ENTRIES_MAX = 60;

/** Makes the document of one or more runs. */
export function simulationDocument(
  scenario: Scenario,
  { seed, outcomes }: { seed: number; outcomes: readonly RunOutcome[] },
): SimulationDocument {
  return {
    seed,
    scenario: scenario.name,
    durationSeconds: scenario.duration,
    runs: outcomes.map((outcome) => ({
      seed: outcome.seed,
      ...outcome.figures,
      requestsByServer: outcome.requests,
      violations: violationTexts(outcome),
    })),
    median: medianFigures(outcomes.map((outcome) => outcome.figures)),
  };
}

/** Writes the page for one run; `file` is where the scenario came from. */
export function describeRun(
  scenario: Scenario,
  { outcome, file }: { outcome: RunOutcome; file: string },
): string {
  return [
    `${scenario.name}, ${formatElapsed(scenario.duration)} of simulated time, seed ${outcome.seed}`,
    ...(scenario.description === "" ? [] : [scenario.description.trim()]),
    ...scenario.notes.map((note) => `Note: ${note}`),
    "",
    ...figureLines(scenario, outcome.figures),
    "",
    "What happened",
    ...timelineLines(outcome),
    "",
    ...sourceLines(scenario, outcome),
    "",
    ...limitLines(outcome, file),
  ].map((text) => `${text}\n`).join("");
}

/** Writes the page for several runs. */
export function describeRuns(
  scenario: Scenario,
  { outcomes, file }: { outcomes: readonly RunOutcome[]; file: string },
): string {
  const figures = outcomes.map((outcome) => outcome.figures);
  const first = outcomes[0]?.seed ?? 0;
  const failed = outcomes.filter((outcome) => outcome.violations.length > 0);
  return [
    `${scenario.name}, ${formatElapsed(scenario.duration)} of simulated time, ` +
    `${outcomes.length} runs with the seeds ${first} to ${first + outcomes.length - 1}`,
    ...scenario.notes.map((note) => `Note: ${note}`),
    "",
    "Medians over the runs",
    ...figureLines(scenario, medianFigures(figures)),
    ...spreadLines(figures),
    "",
    ...failed.slice(0, 10).flatMap((outcome) => limitLines(outcome, file)),
    failed.length === 0
      ? `All ${outcomes.length} runs kept the limits.`
      : `${failed.length} of ${outcomes.length} runs broke a limit.`,
  ].map((text) => `${text}\n`).join("");
}

/** What was wrong in a run, as sentences with the time. */
export function violationTexts(outcome: RunOutcome): readonly string[] {
  return outcome.violations.map(({ time, message }) =>
    time === undefined ? message : `At ${formatElapsed(time)}: ${message}`
  );
}

function orNone(value: Seconds | null | undefined): string {
  return value === null || value === undefined ? "none" : formatSeconds(value);
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(32)}${text}`;
}

function figureLines(scenario: Scenario, figures: RunFigures): readonly string[] {
  const from = formatElapsed(scenario.measureFrom);
  const reached = (time: Seconds | null): string => time === null ? "never" : `${time} s`;
  return [
    ...(figures.rmsErrorSeconds === null
      ? [`How well the clock was kept, from ${from} on: not measured, because ntpsd exited before`]
      : qualityLines(figures, from)),
    "Over the whole run",
    row("held below 1 ms from", reached(figures.timeTo1msSeconds)),
    row("held below 100 us from", reached(figures.timeTo100usSeconds)),
    row("steps of the clock", String(figures.steps)),
    row("requests sent", String(figures.requestsSent)),
  ];
}

function qualityLines(figures: RunFigures, from: string): readonly string[] {
  const coverage = figures.boundCoverage;
  const rate = figures.rmsFrequencyErrorPpm;
  const rateError = rate === null ? "none" : `${Number(rate.toPrecision(3))} ppm`;
  return [
    `How well the clock was kept, from ${from} on`,
    row("error, root mean square", orNone(figures.rmsErrorSeconds)),
    row("error, greatest", orNone(figures.maxErrorSeconds)),
    row("error of the rate, RMS", rateError),
    row("stated bound, median", orNone(figures.medianBoundSeconds)),
    row(
      "error was inside the bound",
      coverage === null
        ? "no bound stated"
        : `${Number((coverage * 100).toFixed(2))} % of the time`,
    ),
  ];
}

/** The smallest and the largest RMS error of the runs in which the clock was measured. */
function spreadLines(runs: readonly RunFigures[]): readonly string[] {
  const errors = runs.flatMap((run) => run.rmsErrorSeconds ?? []);
  if (errors.length === 0) return [];
  const [least, most] = [Math.min(...errors), Math.max(...errors)];
  return [row("spread of the RMS error", `${formatSeconds(least)} to ${formatSeconds(most)}`)];
}

function timelineLines(outcome: RunOutcome): readonly string[] {
  const marks = {
    world: "!",
    state: "=",
    selection: "*",
    step: "^",
    source: "-",
    log: "#",
  } as const;
  const lines = outcome.timeline.slice(0, TIMELINE_ENTRIES_MAX).map(({ time, kind, text }) =>
    `  ${formatElapsed(time).padStart(12)} ${marks[kind]} ${text}`
  );
  const left = outcome.timeline.length - lines.length + outcome.timelineDropped;
  return left === 0 ? lines : [...lines, `  (and ${left} more)`];
}

function sourceLines(scenario: Scenario, outcome: RunOutcome): readonly string[] {
  const { last } = outcome;
  if (last === undefined) return [];
  const names = new SourceNames(scenario);
  const reason = last.why === "" ? "" : `: ${last.why}`;
  const rows = last.sources.map((source) => {
    const name = names.of(source);
    const asked = `${outcome.requests[name] ?? source.sent} requests`;
    return `  ${name.padEnd(24)} ${source.status.padEnd(15)} ${asked.padEnd(16)} ${source.reason}`;
  });
  const end = outcome.panic === undefined
    ? `At the end: ${last.state}${reason}`
    : "When ntpsd exited, which leaves the clock as it is:";
  return [end, ...rows];
}

function limitLines(outcome: RunOutcome, file: string): readonly string[] {
  const texts = violationTexts(outcome);
  if (texts.length === 0) return ["All limits were kept."];
  return [
    `Limits broken in the run with seed ${outcome.seed}:`,
    ...texts.map((text) => `  ${text}`),
    `  to see it again: ntpsd simulate ${file} --seed ${outcome.seed}`,
  ];
}
