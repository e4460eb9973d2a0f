/**
 * The worlds of CI, and those among them in which ntpsd is known to lose.
 *
 * @module
 */
import { worldNumbers } from "./world.ts";

/** The numbers of the worlds that CI runs. */
export const CI_NUMBERS: readonly number[] = worldNumbers(0, { count: 200, kind: undefined });

/** Holds the numbers of the known losers, and the reason for each. */
export const KNOWN_FILE: URL = new URL("./known.json", import.meta.url);

/** Reads the reasons, by number. */
export async function readKnown(): Promise<Readonly<Record<number, string>>> {
  return JSON.parse(await Deno.readTextFile(KNOWN_FILE)) as Record<number, string>;
}
