/**
 * `ntpsd doctor`: whether this machine is fit for ntpsd, before and after it is installed.
 *
 * @module
 */
import { err } from "../../base/result.ts";
import { formatConfigError } from "../../config/config_error.ts";
import { namedPaths } from "../../config/named_path.ts";
import { type Arguments, type Command, hasOption, JSON_OPTION, textOption } from "../command.ts";
import type { CommandContext } from "../command_context.ts";
import { type Paint, painter, plain, type Tone } from "../display/style.ts";
import { PAGE_WIDTH } from "../display/table.ts";
import { wrapText } from "../../base/wrap_text.ts";
import { EXIT } from "../exit_code.ts";
import { addKeys, DEFAULT_CONFIG_FILE, loadConfig } from "../load_config.ts";
import { fetchStatus, STATUS_OPTIONS } from "../status/daemon_status.ts";
import { type Check, type CheckLevel, type ConfigurationFacts, examine } from "./checks.ts";

/** The command `doctor`. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "examine the machine and the configuration, and say what to do",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  options: {
    config: { type: "string", short: "c", value: "FILE", doc: `the file (${DEFAULT_CONFIG_FILE})` },
    ...STATUS_OPTIONS,
    json: JSON_OPTION,
  },
  more: `
Each line is ok, a note, or a problem: what keeps ntpsd, as it is configured,
from its work. It changes nothing. As root it also looks at whether the user of
the service may read the files; whether it may write its state, the log says.

Exit status: 0 there is no problem; 1 something must be done.
`,
  async run(args, context) {
    const daemon = await fetchStatus(args, context);
    if (!daemon.ok && daemon.error.exitCode === EXIT.usage) {
      context.err(`ntpsd: ${plain(daemon.error.message)}\n`);
      return EXIT.usage;
    }
    const checks = examine({
      machine: await context.machineFacts(),
      configuration: await configurationFacts(args, context),
      daemon: daemon.ok ? daemon : err(daemon.error.message),
    });
    const isFit = checks.every(({ level }) => level !== "problem");
    context.out(
      hasOption(args, "json")
        ? `${JSON.stringify({ ok: isFit, checks })}\n`
        : renderChecks(checks, painter(context.color)),
    );
    return isFit ? EXIT.done : EXIT.no;
  },
};

async function configurationFacts(
  args: Arguments,
  context: CommandContext,
): Promise<ConfigurationFacts> {
  const { readFile, lookAtFiles, closedToService } = context;
  const loaded = loadConfig(textOption(args, "config"), context);
  if (!loaded.ok) {
    const { file, errors } = loaded.error;
    return { file, config: undefined, errors: errors.map((each) => formatConfigError(each, file)) };
  }
  const { file, config, included, placeOf } = loaded.value;
  const keyed = addKeys(loaded.value, readFile);
  // That this user may not read the keys is no error of the configuration.
  const ofKeys = keyed.ok || keyed.error.exitCode === EXIT.permission ? [] : keyed.error.errors;
  const { errors } = await lookAtFiles?.(config, placeOf) ?? { errors: [] };
  const lines = [...ofKeys, ...errors].map((each) => formatConfigError(each, file ?? "built-in"));
  const read = namedPaths(config).filter(({ use }) => use.kind === "read").map(({ path }) => path);
  const { user } = config.security;
  const paths = [...file === undefined ? [] : [file], ...included, ...read];
  const closed = user === "root" ? undefined : await closedToService?.(paths, user);
  return { file, config, errors: lines, closed };
}

const LABEL_WIDTH = 9;

/** Writes the checks for a person. */
export function renderChecks(checks: readonly Check[], paint: Paint): string {
  const indent = " ".repeat(LABEL_WIDTH);
  const lines = checks.flatMap(({ name, level, text, hint }) => {
    const wrapped = (sentence: string, deeper = "") =>
      wrapText(plain(sentence), { width: PAGE_WIDTH - LABEL_WIDTH, indent: deeper });
    const [first = "", ...rest] = wrapped(`${name}: ${text}`);
    return [
      `${paint(level.padEnd(LABEL_WIDTH), toneOf(level))}${first}`,
      ...[...rest, ...hint === null ? [] : wrapped(`To do: ${hint}`, "       ")]
        .map((line) => `${indent}${line}`),
    ];
  });
  return `${lines.join("\n")}\n`;
}

function toneOf(level: CheckLevel): Tone {
  if (level === "problem") return "bad";
  return level === "ok" ? "good" : "warning";
}
