/**
 * Runs a target on many inputs, and says how to see a failure again.
 *
 * @module
 */
import { type Bytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { fromFileUrl } from "../support/command.ts";
import { mutate } from "./mutate.ts";
import type { FuzzTarget } from "./targets.ts";

/** The folder of inputs that are tried first: seeds by hand and everything that ever failed. */
export const CORPUS = fromFileUrl(new URL("corpus", import.meta.url));

/** A failure. */
export interface Finding {
  /** The name of the target. */
  readonly target: string;
  /** The input, as hexadecimal. */
  readonly input: string;
  /** What was thrown. */
  readonly error: unknown;
}

/** Reads the inputs that are kept for a target; none when there is no folder for it. */
export function readCorpus(target: FuzzTarget): readonly Bytes[] {
  const folder = `${CORPUS}/${target.name}`;
  const files: string[] = [];
  try {
    for (const { name } of Deno.readDirSync(folder)) if (name.endsWith(".hex")) files.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.sort().map((name) => octetsOf(Deno.readTextFileSync(`${folder}/${name}`)));
}

/** Tries one input; undefined when all holds. */
export function attempt(target: FuzzTarget, octets: Bytes): Finding | undefined {
  const input = toHex(octets);
  try {
    target.run(octets);
    return undefined;
  } catch (error) {
    return { target: target.name, input, error };
  }
}

/** Tries all kept inputs, and then `rounds` changed ones; returns the first failure. */
export function fuzz(
  target: FuzzTarget,
  options: { readonly rounds: number; readonly seed: number },
): Finding | undefined {
  const seeds = [...target.seeds.map(octetsOf), ...readCorpus(target)];
  for (const octets of seeds) {
    const finding = attempt(target, octets.slice());
    if (finding !== undefined) return finding;
  }
  const random = new SeededRandom(options.seed);
  for (let i = 0; i < options.rounds; i++) {
    const finding = attempt(target, new Uint8Array(mutate(random, seeds)));
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** Tells a failure, with the command that repeats it. */
export function describe(finding: Finding): string {
  const { target, input, error } = finding;
  const said = error instanceof Error ? error.stack ?? error.message : String(error);
  return `The target ${target} failed on\n  ${input}\n${said}\n` +
    `Repeat it with: deno task fuzz --target ${target} --input ${input}`;
}

/** Reads hexadecimal. */
export function octetsOf(hex: string): Bytes {
  const octets = fromHex(hex);
  if (octets === undefined) throw new Error(`Hexadecimal was wanted, found ${hex.slice(0, 40)}`);
  return octets;
}
