/**
 * Writes the parts of the documents that are made from the schemas: the reference of the
 * configuration and the keys of a scenario. `deno task docs` runs this, then has
 * tests/tidy/house_figures_test.ts write the code measures, which only a test can count.
 *
 * @module
 */
import { ROOT } from "./build_settings.ts";
import { configurationDocument, REFERENCE } from "./configuration_reference.ts";
import { MANUAL, simulationManual } from "./scenario_reference.ts";

await Deno.writeTextFile(`${ROOT}${REFERENCE}`, await configurationDocument());
await Deno.writeTextFile(`${ROOT}${MANUAL}`, await simulationManual());
