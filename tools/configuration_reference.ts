/**
 * Makes the reference in docs/configuration.md from the schema that reads configurations, so that
 * the two cannot differ.
 *
 * @module
 */
import { configurationReference } from "../src/config/reference.ts";
import { ROOT } from "./build_settings.ts";

/** Where the reference is kept, from the root. */
export const REFERENCE = "docs/configuration.md";

/** The heading under which it stands; what is above is written by hand. */
const BEGIN = "# Reference\n";

/**
 * Returns the document as it should be: what is written by hand, and below it the reference of now.
 */
export async function configurationDocument(): Promise<string> {
  const text = await Deno.readTextFile(`${ROOT}${REFERENCE}`);
  const remark =
    `<!-- What follows is written from src/config/sections/ by "deno task docs"; change it there. -->`;
  const guide = text.slice(0, text.indexOf(BEGIN) + BEGIN.length);
  return `${guide}\n${remark}\n\n${configurationReference()}`;
}
