/**
 * The command `simulate` as the command line sees it; the simulator is loaded only when it is
 * wanted.
 *
 * @module
 */
import { plain } from "../display/style.ts";
import { type Arguments, type Command, hasOption, JSON_OPTION, textOption } from "../command.ts";
import { EXIT } from "../exit_code.ts";

const SEED_MAX = 0xffff_ffff;
const RUNS_MAX = 10_000;

/** The command `simulate`. */
export const simulateCommand: Command = {
  name: "simulate",
  summary: "run the real engine in a simulated world and report the result",
  operands: "SCENARIO.toml",
  operandsMin: 1,
  operandsMax: 1,
  options: {
    seed: { type: "string", value: "N", doc: "the seed of the first run (the scenario's own)" },
    runs: { type: "string", value: "N", doc: "how many runs, each with the next seed (1)" },
    plot: { type: "string", value: "FILE.svg", doc: "draw the first run" },
    json: JSON_OPTION,
  },
  more: `
The same scenario and seed always bring the same run. docs/simulation.md
describes how to write a scenario.

Exit status: 0 all limits of the scenario were kept; 1 some were not; 78 the
scenario is wrong; 74 or 77 a file cannot be read or written.
`,
  async run(args, context) {
    const seed = readInteger(args, { name: "seed", least: 0, most: SEED_MAX });
    const runs = readInteger(args, { name: "runs", least: 1, most: RUNS_MAX });
    for (const error of [seed, runs]) {
      if (typeof error !== "string") continue;
      context.err(`ntpsd simulate: ${plain(error)}\n`);
      return EXIT.usage;
    }
    const { simulate } = await import("./simulate.ts");
    return simulate(
      {
        file: args.operands[0] ?? "",
        seed: typeof seed === "number" ? seed : undefined,
        runs: typeof runs === "number" ? runs : 1,
        json: hasOption(args, "json"),
        plot: textOption(args, "plot"),
      },
      context,
    );
  },
};

/** Returns the number, undefined when it was not given, or a sentence. */
function readInteger(
  args: Arguments,
  { name, least, most }: { name: string; least: number; most: number },
): number | undefined | string {
  const text = textOption(args, name);
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : -1;
  if (value >= least && value <= most) return value;
  return `--${name} wants an integer from ${least} to ${most}, found "${text}"`;
}
