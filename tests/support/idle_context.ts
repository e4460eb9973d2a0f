/**
 * What most commands do not use of the world, for tests that make a context.
 *
 * @module
 */
import { err, ok } from "../../src/base/result.ts";
import type { CommandContext } from "../../src/cli/command_context.ts";
import { filesBeside } from "./files_beside.ts";
import { exampleMachine } from "./machine_example.ts";

/**
 * Is on a machine where all is well and no file is there, waits for nothing, writes and draws
 * nothing, and nobody answers it; on a terminal of 80 columns without colours.
 */
export const IDLE_CONTEXT: Omit<CommandContext, "out" | "err"> = {
  color: false,
  columns: 80,
  ...filesBeside({}),
  httpGet: (address) => Promise.resolve(err(`Cannot connect to ${address}: connection refused`)),
  askServer(host) {
    throw new Error(`${host} is not to be asked`);
  },
  machineFacts: () => Promise.resolve(exampleMachine()),
  sleep: () => Promise.resolve(),
  lockSecret: () => Promise.resolve(ok(() => {})),
  appendSecret(path) {
    throw new Error(`${path} is not to be written`);
  },
  replaceFile(path) {
    throw new Error(`${path} is not to be written`);
  },
  fetchText: (url) => Promise.resolve(err(`Cannot get ${url}: connection refused`)),
  terminal: () => Promise.resolve(undefined),
  clockFacts: () => Promise.resolve({ secondsSince1900: 4_003_257_600, kernel: undefined }),
  random() {
    throw new Error("No randomness is needed");
  },
};
