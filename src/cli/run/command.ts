/**
 * The command `run` as the command line sees it; the daemon itself is loaded only when it is
 * wanted.
 *
 * @module
 */
import { LOG_LEVELS } from "../../config/config.ts";
import type { LogLevel } from "../../config/config.ts";
import { nearest } from "../../config/nearest.ts";
import { type Arguments, type Command, hasOption, textOption } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { DEFAULT_CONFIG_FILE } from "../load_config.ts";

/** The command `run`. */
export const runCommand: Command = {
  name: "run",
  summary: "run the daemon (also without any command)",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  isDaemon: true,
  options: {
    config: {
      type: "string",
      short: "c",
      value: "FILE",
      doc: `the configuration (${DEFAULT_CONFIG_FILE}, else a built-in one)`,
    },
    "no-adjust": { type: "boolean", short: "x", doc: "never touch the clock" },
    once: { type: "boolean", short: "q", doc: "set the clock once, then exit" },
    "log-level": { type: "string", value: "LEVEL", words: LOG_LEVELS, doc: LOG_LEVELS.join(", ") },
  },
  more: `
SIGHUP rereads the configuration; SIGTERM and SIGINT end the daemon.

Exit status: 0 ended as told; 69 a service or library is missing; 70 a bug;
74 input/output error; 75 no time was found (--once); 76 ended by a panic
threshold, which the log names; 77 permission missing; 78 bad configuration.
`,
  async run(args, given) {
    const context = { ...given, err: given.errSoon ?? given.err };
    const logLevel = readLogLevel(args);
    if (logLevel === "wrong") {
      const word = textOption(args, "log-level") ?? "";
      const near = nearest(word, LOG_LEVELS);
      const hint = near === undefined ? "" : `; did you mean "${near}"?`;
      context.err(
        `ntpsd: --log-level wants ${LOG_LEVELS.join(", ")}, found "${word}"${hint}\n`,
      );
      return EXIT.usage;
    }
    const { run } = await import("./run.ts");
    return await run({
      config: textOption(args, "config"),
      noAdjust: hasOption(args, "no-adjust"),
      once: hasOption(args, "once"),
      logLevel,
    }, context);
  },
};

function readLogLevel(args: Arguments): LogLevel | undefined | "wrong" {
  const word = textOption(args, "log-level");
  if (word === undefined) return undefined;
  if (word === "warn") return "warning";
  return LOG_LEVELS.find((level) => level === word) ?? "wrong";
}
