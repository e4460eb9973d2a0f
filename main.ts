/**
 * ntpsd, a time daemon: the words of the command line in, an exit status out.
 *
 * @module
 */
import { endOnBugs, endWithBug } from "./src/cli/bug.ts";
import { holdSignals } from "./src/cli/run/held_signals.ts";

holdSignals(Deno.args);
endOnBugs();
// What comes next takes a while to load, and signals do not wait for it.
const { main } = await import("./src/cli/main.ts");
try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  endWithBug(error);
}
