/**
 * Whether all is well, in one bit: for health checks and exit statuses.
 *
 * @module
 */
import type { StatusDocument } from "../engine/snapshot.ts";

/**
 * Tells whether ntpsd does what it was started for: the clock is synchronised, or, where the clock is not to be touched, a source is
 * found to be good and measured.
 */
export function isHealthy({ state, sources }: Pick<StatusDocument, "state" | "sources">): boolean {
  if (state === "synchronized") return true;
  return state === "monitoring" && sources.some((source) => source.status === "selected");
}
