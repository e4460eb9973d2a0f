/**
 * `ntpsd simulate`: the real engine in a simulated world.
 *
 * @module
 */
import { besideFile } from "../../base/beside_file.ts";
import { plain } from "../display/style.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { formatConfigError } from "../../config/config_error.ts";
import { createSimulatedEngine } from "../../simulation/engine_factory.ts";
import { plotRun } from "../../simulation/plot.ts";
import { describeRun, describeRuns, simulationDocument } from "../../simulation/report.ts";
import { type RunOutcome, runScenario } from "../../simulation/run.ts";
import type { Scenario } from "../../simulation/scenario/scenario.ts";
import { configurationPath, parseScenario } from "../../simulation/scenario/parse.ts";
import { complain } from "../command.ts";
import { EXIT, type ExitCode, exitOfFile } from "../exit_code.ts";
import type { SimulateOptions } from "./simulate_options.ts";
import type { CommandContext, FileFailure, ReadFile } from "../command_context.ts";

/** Runs the scenario and tells what happened; 1 when a limit was broken. */
export async function simulate(
  options: SimulateOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const loaded = loadScenario(options.file, context.readFile);
  if (!loaded.ok) {
    const { text, message = text.trimEnd() } = loaded.error;
    complain({ message, text, json: options.json }, context);
    return loaded.error.exitCode;
  }
  const scenario = loaded.value;
  const first = options.seed ?? scenario.seed;
  const outcomes = Array.from(
    { length: options.runs },
    (_, i) => runScenario(scenario, { seed: first + i, createEngine: createSimulatedEngine }),
  );
  const [outcome] = outcomes;
  if (outcome === undefined) return EXIT.bug;
  context.out(written(scenario, { options, outcomes, outcome }));
  const isKept = outcomes.every(({ violations }) => violations.length === 0);
  const code = isKept ? EXIT.done : EXIT.no;
  if (options.plot === undefined) return code;
  const plotted = await writePlot(options.plot, { scenario, outcome });
  if (plotted.ok) return code;
  context.err(`ntpsd simulate: ${plain(plotted.error.message)}\n`);
  return exitOfFile(plotted.error);
}

/** Writes the document or the page of all runs, of which `outcome` is the first. */
function written(
  scenario: Scenario,
  { options: { file, json }, outcomes, outcome }: {
    readonly options: SimulateOptions;
    readonly outcomes: readonly RunOutcome[];
    readonly outcome: RunOutcome;
  },
): string {
  if (json) {
    return `${JSON.stringify(simulationDocument(scenario, { seed: outcome.seed, outcomes }))}\n`;
  }
  return outcomes.length === 1
    ? describeRun(scenario, { outcome, file })
    : describeRuns(scenario, { outcomes, file });
}

interface LoadError {
  /** With the end of each line. */
  readonly text: string;
  /** What a document says in its place, if that is not the same. */
  readonly message?: string;
  readonly exitCode: ExitCode;
}

function loadScenario(file: string, readFile: ReadFile): Result<Scenario, LoadError> {
  const text = readFile(file);
  if (!text.ok) {
    const hint = text.error.hint === undefined ? "" : ` (${text.error.hint})`;
    const message = `${text.error.message}${hint}`;
    return err({
      message,
      text: `ntpsd simulate: ${plain(message)}\n`,
      exitCode: exitOfFile(text.error),
    });
  }
  const beside = configurationPath(text.value);
  const configuration = beside === undefined ? undefined : readFile(besideFile(file, beside));
  const configurationText = configuration?.ok === true ? configuration.value : undefined;
  const parsed = parseScenario(text.value, { configurationText });
  if (parsed.ok) return ok(parsed.value);
  const lines = parsed.error.map((error) => `${formatConfigError(error, file)}\n`);
  return err({ text: lines.join(""), exitCode: EXIT.config });
}

async function writePlot(
  path: string,
  { scenario, outcome }: { scenario: Scenario; outcome: RunOutcome },
): Promise<Result<void, FileFailure>> {
  const svg = plotRun({
    title: scenario.name,
    subtitle: `${scenario.description.trim().split("\n")[0] ?? ""} (seed ${outcome.seed})`.trim(),
    duration: scenario.duration,
    points: outcome.trace,
    timeline: outcome.timeline,
  });
  // Only this needs the C library; without a plot the command runs without it.
  const { overwriteFile } = await import("../../../ffi/file/files.ts");
  return overwriteFile(path, new TextEncoder().encode(svg));
}
