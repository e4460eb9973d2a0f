/**
 * What help is given on, beside the sections and keys of the configuration.
 *
 * @module
 */
import type { Command } from "./command.ts";

/** Returns the words that `ntpsd help` explains. */
export function helpTopics(commands: readonly Command[]): readonly string[] {
  return [...commands.map(({ name }) => name), "help", "configuration"];
}
