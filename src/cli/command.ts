/**
 * What a command of the program consists of.
 *
 * @module
 */
import type { ExitCode } from "./exit_code.ts";
import type { CommandContext } from "./command_context.ts";
import { plain } from "./display/style.ts";

/** One option of a command. */
export interface Option {
  /** Whether it takes a value. */
  readonly type: "boolean" | "string";
  /** The one-letter form. */
  readonly short?: string;
  /** What the value stands for in the help: `FILE`. */
  readonly value?: string;
  /** The only words that the value may be, where there are few. */
  readonly words?: readonly string[];
  /** One line for the help. */
  readonly doc: string;
}

/** What was written after the command's name. */
export interface Arguments {
  /** The options that were given: true, or their text. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  /** The words that are not options. */
  readonly operands: readonly string[];
}

/** One command. */
export interface Command {
  /** The word on the command line. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The operands in the line of usage: `HOST[:PORT]...`; empty if there are none. */
  readonly operands: string;
  /** The least number of operands. */
  readonly operandsMin: number;
  /** The largest number of operands. */
  readonly operandsMax: number;
  /** The only words that operands may be, where there are few. */
  readonly operandWords?: readonly string[];
  /** The options by their long names. */
  readonly options: Readonly<Record<string, Option>>;
  /** Whether it is the daemon, to which options of other daemons may be given by habit. */
  readonly isDaemon?: boolean;
  /** What the help says below the options: examples, exit status. */
  readonly more: string;
  /** Does the work. */
  run(args: Arguments, context: CommandContext): Promise<ExitCode>;
}

/** The option of all commands that can print JSON. */
export const JSON_OPTION: Option = {
  type: "boolean",
  doc: "print one JSON document on standard output, and nothing else",
};

/**
 * Tells why a command cannot do its work: on standard error, and with `--json` in one document too.
 * `message` is what the document says, `text` what a person reads, with the end of its last line.
 */
export function complain(
  { message, json, text = `ntpsd: ${plain(message)}\n` }: {
    readonly message: string;
    readonly json: boolean;
    readonly text?: string;
  },
  context: CommandContext,
): void {
  if (json) context.out(`${JSON.stringify({ error: message })}\n`);
  context.err(text);
}

/** Returns the text of an option, or undefined. */
export function textOption(args: Arguments, name: string): string | undefined {
  const value = args.options[name];
  return typeof value === "string" ? value : undefined;
}

/** Tells whether an option without a value was given. */
export function hasOption(args: Arguments, name: string): boolean {
  return args.options[name] === true;
}
