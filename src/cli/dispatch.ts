/**
 * Runs a command with the words that follow its name.
 *
 * @module
 */
import { readArguments } from "./args.ts";
import type { Command } from "./command.ts";
import type { CommandContext } from "./command_context.ts";
import { plain } from "./display/style.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { commandHelp } from "./help.ts";

/** Reads the words and runs the command, or explains it; returns the exit status. */
export async function dispatch(
  found: Command | undefined,
  { words, context }: { readonly words: readonly string[]; readonly context: CommandContext },
): Promise<ExitCode> {
  if (found === undefined) return EXIT.bug;
  const args = readArguments(found, words);
  if (!args.ok) {
    context.err(
      `ntpsd ${found.name}: ${plain(args.error)}\nTry "ntpsd ${found.name} --help"\n`,
    );
    return EXIT.usage;
  }
  if (args.value.options["help"] === true) {
    context.out(commandHelp(found));
    return EXIT.done;
  }
  return await found.run(args.value, context);
}
