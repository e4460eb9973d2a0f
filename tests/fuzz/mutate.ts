/**
 * Changes octets by chance, in the ways that find faults in decoders: bits turned, lengths made
 * absurd, pieces cut, doubled and moved, two inputs joined. All chance comes from the seeded
 * generator, so that every input can be made again.
 *
 * @module
 */
import { type RandomSource, uniform } from "../../src/base/random.ts";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";

/**
 * No input grows beyond this: a little more than the longest head of an HTTP request that is read.
 */
export const INPUT_LENGTH_MAX = 9000;

/** Octets that stand at the edges of what fields can hold. */
const EDGES: readonly number[] = [0, 1, 3, 4, 0x0f, 0x10, 0x14, 0x1c, 0x7f, 0x80, 0xfe, 0xff];

/** How many changes are made at most; mostly fewer, so that what is changed comes far. */
const CHANGES_MAX = 6;

/** Returns a uniform number below `limit`. */
export function below(random: RandomSource, limit: number): number {
  return random.uint32() % limit;
}

/** Returns true with a probability. */
export function chance(random: RandomSource, probability: number): boolean {
  return random.uint32() < probability * 2 ** 32;
}

/** Returns one of some values. */
export function pick<Value>(random: RandomSource, values: readonly Value[]): Value {
  return values[below(random, values.length)] as Value;
}

/** Returns a number between two limits, evenly over the logarithms. */
export function between(random: RandomSource, least: number, most: number): number {
  return least * (most / least) ** uniform(random);
}

/** Returns octets of any values. */
export function noise(random: RandomSource, length: number): Bytes {
  const octets = new Uint8Array(length);
  random.fill(octets);
  return octets;
}

/** Returns as many things as `count` says, each made anew. */
export function several<Value>(count: number, make: (i: number) => Value): Value[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** Changes one of the seeds, or draws noise now and then. */
export function mutate(random: RandomSource, seeds: readonly Uint8Array[]): Uint8Array {
  if (seeds.length === 0 || below(random, 16) === 0) return noise(random, below(random, 300));
  let octets: Uint8Array = pick(random, seeds).slice();
  for (let i = 1 + below(random, 1 + below(random, CHANGES_MAX)); i > 0; i--) {
    octets = change(random, octets, seeds);
  }
  return octets.subarray(0, INPUT_LENGTH_MAX);
}

function change(
  random: RandomSource,
  octets: Uint8Array,
  seeds: readonly Uint8Array[],
): Uint8Array {
  if (octets.length === 0) return noise(random, 1 + below(random, 60));
  const at = below(random, octets.length);
  const end = Math.min(octets.length, at + 1 + below(random, 40));
  switch (below(random, 9)) {
    case 0:
      octets[at] = (octets[at] ?? 0) ^ (1 << below(random, 8));
      return octets;
    case 1:
      octets[at] = random.uint32();
      return octets;
    case 2:
      octets[at] = pick(random, EDGES);
      return octets;
    case 3: // a length of 16 bits
      octets[at & ~1] = below(random, 4) === 0 ? pick(random, EDGES) : 0;
      octets[at | 1] = pick(random, EDGES);
      return octets;
    case 4:
      return octets.slice(0, at);
    case 5:
      return concatBytes(octets.subarray(0, at), octets.subarray(end));
    case 6:
      return concatBytes(octets.subarray(0, end), octets.subarray(at));
    case 7:
      return concatBytes(octets.subarray(0, at), noise(random, below(random, 40)));
    default:
      return concatBytes(octets.subarray(0, at), pick(random, seeds).subarray(at));
  }
}
