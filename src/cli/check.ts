/**
 * `ntpsd check`: reports every error of a configuration, and starts nothing.
 *
 * @module
 */
import type { Config } from "../config/config.ts";
import { type ConfigError, formatConfigError } from "../config/config_error.ts";
import { detectDialect, FILE_NAMES } from "../convert/detect.ts";
import { type Command, hasOption, JSON_OPTION, textOption } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { addKeys, DEFAULT_CONFIG_FILE, formatFailure, loadConfig } from "./load_config.ts";
import { plain } from "./display/style.ts";
import type { CommandContext } from "./command_context.ts";

/** An empty file is seldom meant, and the one file with which a start and a reload differ. */
const NOTHING_IN_FILE: ConfigError = {
  path: "",
  message: "There is nothing in the file",
  suggestion: "on a reload, ntpsd keeps its configuration; restart it if that is meant",
};

/** The command `check`. */
export const checkCommand: Command = {
  name: "check",
  summary: "validate a configuration and report every error in it",
  operands: "[FILE]",
  operandsMin: 0,
  operandsMax: 1,
  options: {
    config: { type: "string", short: "c", value: "FILE", doc: `the file (${DEFAULT_CONFIG_FILE})` },
    json: JSON_OPTION,
  },
  more: `
Errors are written as FILE:LINE: KEY: what is wrong. With errors of the
configuration ntpsd does not start; with errors of files that it names it starts
without them.

Exit status: 0 all is fine; 78 it is not; 74 or 77 the configuration cannot be
read.
`,
  run(args, context) {
    const named = textOption(args, "config"), [operand] = args.operands;
    if (named !== undefined && operand !== undefined) {
      context.err(
        `ntpsd check: Wanted one file, found "${plain(named)}" and "${
          plain(operand)
        }"\nTry "ntpsd check --help"\n`,
      );
      return Promise.resolve(EXIT.usage);
    }
    const file = named ?? operand;
    return check({ file, json: hasOption(args, "json") }, context);
  },
};

async function check(
  { file, json }: { readonly file: string | undefined; readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { out, err: complain } = context;
  const { file: found, included, config, errors, notes, exitCode } = await inspect(file, context);
  if (json) {
    const kinds = errors.map((error) => ({ ...error, kind: error.kind ?? "configuration" }));
    const ok = errors.length === 0;
    out(`${JSON.stringify({ file: found ?? null, ok, errors: kinds, notes })}\n`);
    return exitCode;
  }
  for (const note of notes) out(`${formatConfigError(note, found ?? "built-in")} [note]\n`);
  if (errors.length > 0) {
    complain(formatFailure({ file: found ?? "built-in", errors, exitCode }));
    complain(conclusion(errors));
    if (found !== undefined && exitCode === EXIT.config) complain(foreignFile(found, context));
    return exitCode;
  }
  const what = found ?? `There is no ${DEFAULT_CONFIG_FILE}; the built-in configuration`;
  const files = counted(included.length, "included file");
  const parts = config === undefined ? "" : `: ${summary(config, files)}`;
  out(`${plain(what)} is fine${parts}\n`);
  return EXIT.done;
}

/** Says of which other program a file is, if it is of one. */
function foreignFile(file: string, { readFile }: CommandContext): string {
  const text = readFile(file);
  const dialect = text.ok ? detectDialect(text.value, file) : undefined;
  if (dialect === undefined) return "";
  const name = FILE_NAMES[dialect], article = name.startsWith("n") ? "an" : "a";
  return `This is ${article} ${name}: "ntpsd convert ${plain(file)}" makes an ntpsd.toml of it\n`;
}

/** What was found out about a configuration. */
interface Inspection {
  /** The file; undefined for the built-in configuration. */
  readonly file: string | undefined;
  /** The files that it includes, if it can be read. */
  readonly included: readonly string[];
  /** What it says; undefined if that is not to be understood. */
  readonly config: Config | undefined;
  readonly errors: readonly ConfigError[];
  readonly notes: readonly ConfigError[];
  readonly exitCode: ExitCode;
}

/** Loads a configuration and looks at all files that it names. */
async function inspect(
  file: string | undefined,
  context: CommandContext,
): Promise<Inspection> {
  const { readFile, lookAtFiles } = context;
  const loaded = loadConfig(file, context);
  if (!loaded.ok) return { ...loaded.error, included: [], config: undefined, notes: [] };
  const { config, included, placeOf, isEmpty } = loaded.value;
  const files = await lookAtFiles?.(config, placeOf) ?? { errors: [], notes: [] };
  const keyed = addKeys(loaded.value, readFile);
  const ofKeys = keyed.ok ? [] : keyed.error.errors;
  // The daemon reads the keys before it changes its user: that this user may not read them is no
  // error of the configuration.
  const isBarred = !keyed.ok && keyed.error.exitCode === EXIT.permission;
  const errors = byPlace([...isBarred ? [] : ofKeys, ...files.errors]);
  const { notes } = keyed.ok ? keyed.value : loaded.value;
  const ofText = isEmpty ? [NOTHING_IN_FILE, ...notes] : notes;
  const exitCode = keyed.ok || isBarred || files.errors.length > 0
    ? EXIT.config
    : keyed.error.exitCode;
  return {
    file: loaded.value.file,
    included,
    config,
    errors,
    notes: byPlace([...ofText, ...isBarred ? ofKeys : [], ...files.notes]),
    exitCode: errors.length > 0 ? exitCode : EXIT.done,
  };
}

/** Orders remarks by their lines, those on the configuration before those on other files. */
function byPlace(remarks: readonly ConfigError[]): readonly ConfigError[] {
  const rank = ({ file }: ConfigError) => file === undefined ? 0 : 1;
  return remarks.toSorted((a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0));
}

/** Says what the errors come to: whether ntpsd starts with them. */
function conclusion(errors: readonly ConfigError[]): string {
  const files = errors.filter(({ kind }) => kind === "file").length;
  const own = errors.length - files;
  const ofFiles = `${counted(files, "error")} of files that the configuration names`;
  if (own === 0) return `${ofFiles}: ntpsd starts, and what needs them does not work\n`;
  if (files > 0) return `${counted(own, "error")} of the configuration, ${ofFiles}\n`;
  return own === 1 ? "" : `${counted(own, "error")}\n`;
}

function summary(config: Config, files: string): string {
  const parts = [
    counted(config.sources.length, "source"),
    counted(config.servers.length, "server"),
    counted(config.ntsKeServers.length, "NTS key exchange server"),
    files,
  ];
  return parts.filter((part, i) => i === 0 || part !== "").join(", ");
}

function counted(count: number, noun: string): string {
  if (count === 0) return noun === "source" ? "no sources" : "";
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
