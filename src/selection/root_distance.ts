/**
 * How far a source may be from true time: the root distance of RFC 5905 section 11.2, and the parts
 * of it that are passed on.
 *
 * It is computed here alone (but for the test of a single packet), for selection, for status and
 * query, and for what is served, so that no two of them tell different bounds. What can be wrong:
 * half of the round trip to the primary source, whatever its two directions are; what the servers
 * on the way admit; the grain of the server's clock, which its timestamps are cut to; and what our
 * estimate of its offset leaves open. Limits: a server that lies about itself is for selection to
 * find; one that says too little is held to what a majority stands behind.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";

/** So many standard deviations of an estimate count as certain. */
export const SIGMA_MULTIPLIER = 3.5;

/** What a server says of itself. */
export interface ServerQuality {
  /** The round trip to its primary source. */
  readonly rootDelay: Seconds;
  /** What may be wrong besides. */
  readonly rootDispersion: Seconds;
  /** The grain of its clock, as an exponent of two seconds. */
  readonly precision: number;
}

/** What we know of the way to a server. */
export interface PathQuality {
  /**
   * The smallest round trip that was measured; no estimate below it is certain. Negative ones count
   * as 0.
   */
  readonly delay: Seconds;
  /**
   * One standard deviation of the offset, without what asymmetry may add; 0 for a single sample
   * that is taken as it is.
   */
  readonly uncertainty: Seconds;
}

/** The bound and its parts, as they are passed on. */
export interface RootDistance {
  /** The round trip to the primary source. */
  readonly rootDelay: Seconds;
  /** All else. */
  readonly rootDispersion: Seconds;
  /** Half of the one and all of the other: true time is within so much. */
  readonly distance: Seconds;
}

/**
 * Returns the smallest distance that a majority stands behind, of the distances of sources that
 * agree; 0 for none. As long as fewer than half of them lie about themselves, one of the smallest
 * up to this one is honest, and what all agree on is within it.
 */
export function supportedDistance(distances: readonly Seconds[]): Seconds {
  const sorted = distances.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** Sums up what can be wrong with the time of a source (RFC 5905 section 11.2). */
export function rootDistance(server: ServerQuality, path: PathQuality): RootDistance {
  const rootDelay = server.rootDelay + Math.max(0, path.delay);
  const rootDispersion = server.rootDispersion + 2 ** server.precision +
    SIGMA_MULTIPLIER * path.uncertainty;
  return { rootDelay, rootDispersion, distance: rootDelay / 2 + rootDispersion };
}
