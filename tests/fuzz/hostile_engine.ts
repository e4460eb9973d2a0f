/**
 * The targets that drive a whole engine: through worlds of servers that lie, and event by event.
 *
 * @module
 */
import { runFuzzedEngine } from "./engine_life.ts";
import { runHostileWorld } from "./hostile_world.ts";
import { below, noise } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

const NUMBERS =
  "no internal error, all numbers are numbers, no bound is negative, no stratum beyond 15, nothing is called synchronized without a " +
  "source that is followed, what is served is what is said, no text steers a terminal, JSON loses nothing, every socket is given back";

/** The targets. */
export const ENGINE_TARGETS: readonly FuzzTarget[] = [
  {
    name: "engine",
    oracle:
      `${NUMBERS}; the log grows slowly; with a majority of honest servers beside the liars the clock is right in the ` +
      "end, and as right as is said",
    isStateful: true,
    budget: 60,
    // worlds that once ended the program, and one in which it served stratum 16
    seeds: ["00000001", "00000004", "00000008", "00000009", "0000000b", "00000011"],
    generate: (random) => noise(random, 8),
    run: (octets) => {
      const fate = octets.length === 4 ? undefined : hash(octets, 0x0bad_cafe);
      runHostileWorld(octets.length === 4 ? wordOf(octets) : hash(octets, 0x811c_9dc5), fate);
    },
  },
  {
    name: "engine-life",
    oracle: NUMBERS,
    isStateful: true,
    budget: 60,
    seeds: ["0102030405060708".repeat(20)],
    generate: (random) => noise(random, below(random, 2000)),
    run: runFuzzedEngine,
  },
];

/** Four octets are the seed of a plain world. */
function wordOf(octets: Uint8Array): number {
  return octets.reduce((word, octet) => word * 256 + octet, 0);
}

/** FNV-1a from a basis: any other octets are two seeds. */
function hash(octets: Uint8Array, basis: number): number {
  return octets.reduce((sum, octet) => Math.imul(sum ^ octet, 0x0100_0193) >>> 0, basis);
}
