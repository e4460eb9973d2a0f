/**
 * What is held against a source after it was found false or cast off, until it is found good.
 *
 * The problem: a source at the edge of what others allow would come and go with the noise of its
 * estimate, and lend the others the vote that they lack whenever it seems to agree. The idea: two
 * edges instead of one. What was found good is so as far as its whole error bound says; what was
 * not must agree without the part of the bound that is there for chance, several standard
 * deviations of its own estimate. So what changes is what evidence has changed, and one that is
 * right again by more than chance is used at once. Limits: a source whose true offset moves about
 * by more than that, slowly, comes and goes with it.
 *
 * @module
 */
import type { SourceStatus } from "./status.ts";

/** What others had against a source: that it is wrong, or that it stands apart. */
export type Doubt = "falseticker" | "outlier";

/**
 * Returns what is held against sources after a selection: what it found, and what was found before
 * of those that it did not find good. Where no source is believed none is.
 */
export function doubtsAfter(
  { statuses, systemPeer }: {
    readonly statuses: ReadonlyMap<number, SourceStatus>;
    readonly systemPeer: number | undefined;
  },
  before: ReadonlyMap<number, Doubt>,
): ReadonlyMap<number, Doubt> {
  const doubts = new Map<number, Doubt>();
  for (const [id, { status }] of statuses) {
    const isGood = status === "selected" || status === "combined" || status === "candidate";
    const kept = isGood && systemPeer !== undefined ? undefined : before.get(id);
    const doubt = status === "falseticker" || status === "outlier" ? status : kept;
    if (doubt !== undefined) doubts.set(id, doubt);
  }
  return doubts;
}
