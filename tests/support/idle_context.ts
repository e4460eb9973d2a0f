/**
 * What most commands do not use of the world, for tests that make a context.
 *
 * @module
 */
import type { CommandContext } from "../../src/cli/command_context.ts";

/** Waits for nothing, writes nothing, and draws nothing. */
export const IDLE_CONTEXT: Pick<CommandContext, "sleep" | "writeSecret" | "random"> = {
  sleep: () => Promise.resolve(),
  writeSecret(path) {
    throw new Error(`${path} is not to be written`);
  },
  random() {
    throw new Error("No randomness is needed");
  },
};
