/**
 * Runs a target on many inputs, and says how to see a failure again.
 *
 * What is kept comes first: seeds and everything that ever failed. Then come changes of what is
 * kept, inputs made anew, and changes of those, one third each.
 *
 * @module
 */
import { type Bytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { type RandomSource, SeededRandom } from "../../src/base/random.ts";
import { fromFileUrl } from "../support/command.ts";
import { below, INPUT_LENGTH_MAX, mutate } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

/** The folder of inputs that are tried first. */
const CORPUS = fromFileUrl(new URL("corpus", import.meta.url));

/** A failure. */
export interface Finding {
  /** The name of the target. */
  readonly target: string;
  /** The input, as hexadecimal. */
  readonly input: string;
  /** What was thrown. */
  readonly error: unknown;
}

/** How much was tried, and what was found. */
export interface Outcome {
  /** How many inputs were tried. */
  readonly executions: number;
  /** The first failure. */
  readonly finding: Finding | undefined;
}

/** What is tried first of a target. */
export function keptInputs(target: FuzzTarget): readonly Bytes[] {
  return [...target.seeds.map(octetsOf), ...readCorpus(target.name)];
}

/** Keeps an input in the corpus of a target, in a file that is named by its content. */
export function keepInput(name: string, octets: Bytes): void {
  const input = toHex(octets);
  let hash = 0x811c_9dc5; // FNV-1a
  for (let i = 0; i < input.length; i++) {
    hash = Math.imul(hash ^ input.charCodeAt(i), 0x0100_0193) >>> 0;
  }
  const folder = `${CORPUS}/${name}`;
  Deno.mkdirSync(folder, { recursive: true });
  const file = hash.toString(16).padStart(8, "0");
  Deno.writeTextFileSync(`${folder}/${file}.hex`, `${input}\n`);
}

/** Reads the corpus of a target; nothing when there is no folder for it. */
function readCorpus(name: string): readonly Bytes[] {
  const folder = `${CORPUS}/${name}`;
  const files: string[] = [];
  try {
    for (const { name } of Deno.readDirSync(folder)) if (name.endsWith(".hex")) files.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.sort().map((name) => octetsOf(Deno.readTextFileSync(`${folder}/${name}`)));
}

/** Tries one input; undefined when all holds. */
export async function attempt(target: FuzzTarget, octets: Bytes): Promise<Finding | undefined> {
  // The target may change what it is given.
  const input = octets.slice();
  try {
    const running = target.run(octets);
    if (running !== undefined) await running;
    return undefined;
  } catch (error) {
    return { target: target.name, input: toHex(input), error };
  }
}

/**
 * Tries all kept inputs and then others, until so many were tried, the time is over, or one fails.
 */
export async function fuzz(
  target: FuzzTarget,
  options: { readonly executions: number; readonly seed: number; readonly milliseconds?: number },
): Promise<Outcome> {
  const end = performance.now() + (options.milliseconds ?? Infinity);
  const kept = keptInputs(target);
  const random = new SeededRandom(options.seed);
  let executions = 0;
  while (executions < options.executions || executions < kept.length) {
    const octets = kept[executions]?.slice() ?? draw(target, random, kept);
    const finding = await attempt(target, octets);
    executions++;
    if (finding !== undefined) return { executions, finding };
    if (performance.now() >= end) break;
  }
  return { executions, finding: undefined };
}

/** Makes an input that was not kept. */
export function draw(target: FuzzTarget, random: RandomSource, kept: readonly Bytes[]): Bytes {
  const kind = below(random, 3);
  if (kind === 0) return mutate(random, kept).slice() as Bytes;
  const made = target.generate(random).slice(0, INPUT_LENGTH_MAX);
  return (kind === 1 ? made : mutate(random, [made]).slice()) as Bytes;
}

/** Tells a failure, with the command that repeats it. */
export function describe(finding: Finding): string {
  const { target, input, error } = finding;
  const said = error instanceof Error ? error.stack ?? error.message : String(error);
  return `The target ${target} failed on\n  ${input}\n${said}\n` +
    `Repeat it with: deno task fuzz ${target} --input ${input === "" ? '""' : input}`;
}

/** Reads hexadecimal. */
export function octetsOf(hex: string): Bytes {
  const octets = fromHex(hex);
  if (octets === undefined) throw new Error(`Hexadecimal was wanted, found ${hex.slice(0, 40)}`);
  return octets;
}
