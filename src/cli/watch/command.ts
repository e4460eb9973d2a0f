/**
 * `ntpsd watch`: the clock and its sources on a terminal, as they change.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { STATUS_OPTIONS } from "../status/daemon_status.ts";

/** The command `watch`. */
export const watchCommand: Command = {
  name: "watch",
  summary: "show the clock and the sources on a terminal, as they change",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  options: {
    interval: { type: "string", short: "i", value: "D", doc: "the time between looks (1s)" },
    ...STATUS_OPTIONS,
  },
  more: `
Keys: up and down choose a source, Enter shows all of it and goes back, s sorts
      (as configured, by use, by offset, by error), q ends
Marks: * selected, + combined, - agrees but is not needed, . outlier,
       x falseticker, ~ too variable, ? not usable

"History" has a sign for each of the last samples, the newest at the right: how
far its offset lies between the least and the greatest of them.

Exit status: 0 ended; 64 standard output is no terminal.
`,
  async run(args, context) {
    // Loaded only now: other commands draw nothing.
    const { watch } = await import("./watch.ts");
    return await watch(args, context);
  },
};
