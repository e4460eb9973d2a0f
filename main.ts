/**
 * ntpsd, a time daemon: the words of the command line in, an exit status out.
 *
 * @module
 */
import { endOnBugs } from "./src/cli/bug.ts";
import { main } from "./src/cli/main.ts";

endOnBugs();
Deno.exit(await main(Deno.args));
