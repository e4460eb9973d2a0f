/**
 * All house rules that the tests count, and what each finds in the project.
 *
 * @module
 */
import type { Offence } from "./allowances.ts";
import { missingNames, oldWords } from "./name_rules.ts";
import { importGraph, ROOT, sourceFiles } from "./project.ts";
import { openSwitches, positionalParameters, wideComments } from "./shape_rules.ts";
import { factsOf, type SourceFacts } from "./syntax.ts";
import { circles, isProduct, unusedExports, unusedMembers } from "./use_rules.ts";

/** Reads the facts of all files of the project. */
export async function projectFacts(): Promise<readonly SourceFacts[]> {
  const paths = await sourceFiles();
  return await Promise.all(
    paths.map(async (path) => factsOf(path, await Deno.readTextFile(`${ROOT}/${path}`))),
  );
}

/** Finds the offences against each rule, by the sentence that states it. */
export async function houseOffences(
  files: readonly SourceFacts[],
): Promise<Readonly<Record<string, readonly Offence[]>>> {
  const product = files.filter(({ path }) => isProduct(path));
  return {
    "imports go in no circle, those of types neither": circles(await importGraph()),
    "nothing is exported that nobody uses, or only tests": unusedExports(files),
    "no member is there that is never read": unusedMembers(files),
    "a name in a comment is there": missingNames(files),
    "a word that was given up stays away": files.flatMap(oldWords),
    "a comment is at most 100 columns wide": files.flatMap(wideComments),
    "a function has at most two positional parameters": product.flatMap(positionalParameters),
    "a switch over a union ends in unreachable": product.flatMap(openSwitches),
  };
}
