/**
 * What most commands do not use of the world, for tests that make a context.
 *
 * @module
 */
import type { CommandContext } from "../../src/cli/command_context.ts";
import { exampleMachine } from "./machine_example.ts";

/** Is on a machine where all is well, waits for nothing, writes nothing, and draws nothing. */
export const IDLE_CONTEXT: Pick<
  CommandContext,
  "askServer" | "machineFacts" | "sleep" | "appendSecret" | "random"
> = {
  askServer(host) {
    throw new Error(`${host} is not to be asked`);
  },
  machineFacts: () => Promise.resolve(exampleMachine()),
  sleep: () => Promise.resolve(),
  appendSecret(path) {
    throw new Error(`${path} is not to be written`);
  },
  random() {
    throw new Error("No randomness is needed");
  },
};
