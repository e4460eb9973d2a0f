/**
 * ntpsd, a time daemon: the words of the command line in, an exit status out.
 *
 * @module
 */
import { main } from "./src/cli/main.ts";

Deno.exit(await main(Deno.args));
