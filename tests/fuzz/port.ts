/**
 * What targets on a port have in common: a port that is opened at the first round and closed at the
 * end, and rounds in which many things happen at the same time.
 *
 * @module
 */
import { type RandomSource, SeededRandom } from "../../src/base/random.ts";
import { noise } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

/** So many connections are open at the same time. */
export const AT_ONCE = 24;
/** So many rounds are played in the tests. */
const ROUNDS = 12;

/** A port that is open. */
export interface Port {
  /** Does its worst, then sees that an honest client is served. */
  round(seed: number): Promise<void>;
  /** Closes it; resolves when nothing runs any more. */
  close(): Promise<void>;
}

/** Opens a port at its first round; the octets of an input are the seed of a round. */
export function onPort(open: () => Port): Omit<FuzzTarget, "name" | "oracle"> {
  let port: Port | undefined;
  return {
    isStateful: true,
    budget: ROUNDS,
    seeds: [],
    generate: (random) => noise(random, 4),
    run(octets) {
      port ??= open();
      return port.round(octets.reduce((seed, octet) => (seed * 256 + octet) >>> 0, octets.length));
    },
    async close() {
      await port?.close();
      port = undefined;
    },
  };
}

/** Does many things at the same time, each with randomness of its own. */
export async function together(
  seed: number,
  work: (random: RandomSource) => Promise<void>,
): Promise<void> {
  const all = Array.from({ length: AT_ONCE }, (_, i) => work(new SeededRandom(seed * AT_ONCE + i)));
  await Promise.all(all);
}
