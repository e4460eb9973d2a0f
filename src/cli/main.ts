/**
 * The program: its words in, its exit status out.
 *
 * @module
 */
import type { CommandContext } from "./command_context.ts";
import { dispatch } from "./dispatch.ts";
import type { ExitCode } from "./exit_code.ts";
import { realCommandContext } from "./real_command_context.ts";
import { versionCommand } from "./version.ts";

/** Runs the program with the words after its name; returns the exit status. */
export async function main(
  words: readonly string[],
  context: CommandContext = realCommandContext(),
): Promise<ExitCode> {
  const [first, ...rest] = words;
  if (first === "version" || first === "--version" || first === "-V") {
    return dispatch(versionCommand, { words: rest, context });
  }
  // The commands take a while to load, and the version needs none of the others.
  const { runNamedCommand } = await import("./named_command.ts");
  return await runNamedCommand(words, context);
}
