/**
 * Finds the command that is meant among all, and explains those and the configuration.
 *
 * @module
 */
import { foreignKeyHint } from "../config/foreign_keys.ts";
import { configurationReference, configurationWords, referenceOf } from "../config/reference.ts";
import { nearest } from "../config/nearest.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { dispatch } from "./dispatch.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { commandHint } from "./foreign_words.ts";
import { commandHelp, programHelp } from "./help.ts";
import { plain } from "./display/style.ts";
import { PAGE_WIDTH } from "./display/table.ts";
import type { CommandContext } from "./command_context.ts";
import { helpTopics } from "./topics.ts";

/**
 * Runs the command that is named by the words after the program's name; returns the exit status.
 */
export function runNamedCommand(
  words: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const [first, ...rest] = words;
  if (first === "help" || first === "--help" || first === "-h") return help(rest, context);
  // Without a command it is the daemon, with or without options.
  if (first === undefined || first.startsWith("-")) {
    return dispatch(command("run"), { words, context });
  }
  const found = command(first);
  if (found === undefined) return Promise.resolve(unknownCommand(first, context));
  return dispatch(found, { words: rest, context });
}

function command(name: string): Command | undefined {
  return COMMANDS.find((entry) => entry.name === name);
}

function help(words: readonly string[], context: CommandContext): Promise<ExitCode> {
  const [name, surplus] = words.filter((word) => word !== "--help" && word !== "-h");
  if (surplus !== undefined) {
    context.err(
      `ntpsd: Wanted one command to explain, found "${plain(`${name}" and "${surplus}`)}"\n`,
    );
    return Promise.resolve(EXIT.usage);
  }
  if (name === "configuration" || name === "config") {
    context.out(configurationReference(PAGE_WIDTH));
    return Promise.resolve(EXIT.done);
  }
  const found = name === undefined ? undefined : command(name);
  const reference = name === undefined || found !== undefined
    ? undefined
    : referenceOf(name, PAGE_WIDTH);
  if (reference !== undefined) {
    context.out(reference);
    return Promise.resolve(EXIT.done);
  }
  if (name !== undefined && found === undefined) {
    return Promise.resolve(unknownTopic(name, context));
  }
  context.out(found === undefined ? programHelp(COMMANDS) : commandHelp(found));
  return Promise.resolve(EXIT.done);
}

function unknownCommand(name: string, { err }: CommandContext): ExitCode {
  const hint = commandHint(name) ?? similar(name, helpTopics(COMMANDS));
  err(`ntpsd: Unknown command "${plain(name)}"${appended(hint)}\nTry "ntpsd --help"\n`);
  return EXIT.usage;
}

function unknownTopic(name: string, { err }: CommandContext): ExitCode {
  const words = name.startsWith("-") ? [] : [...helpTopics(COMMANDS), ...configurationWords()];
  const hint = commandHint(name) ?? foreignKeyHint(name) ?? similar(name, words);
  const message = `No command, section or key is called "${plain(name)}"${appended(hint)}`;
  err(`ntpsd: ${message}\nTry "ntpsd --help"\n`);
  return EXIT.usage;
}

function similar(name: string, words: readonly string[]): string | undefined {
  const near = nearest(name, words);
  return near === undefined ? undefined : `did you mean "${near}"?`;
}

function appended(hint: string | undefined): string {
  return hint === undefined ? "" : `; ${hint}`;
}
