/**
 * What listeners answer with: the engine's time, the own clock where it counts as right
 * (`local-stratum`), or that there is none.
 *
 * @module
 */
import type { Instant } from "../base/instant.ts";
import type { PollExponent } from "../base/units.ts";
import type { SynchronizationConfig } from "../config/config.ts";
import type { ServedTime } from "../engine/status/served_time.ts";
import { LOCAL_REFERENCE_ID, parseReferenceId } from "../protocol/reference_id.ts";
import {
  localReferenceClock,
  type ServerClockState,
  unsynchronizedClock,
} from "../server/clock_state.ts";

/** Says what is served, given what the engine says of our clock. */
export function servedClock(time: ServedTime, context: {
  /** The limits in force; undefined before the first configuration. */
  readonly synchronization:
    | Pick<SynchronizationConfig, "localStratum" | "referenceId">
    | undefined;
  /** That of the local clock. */
  readonly precision: PollExponent;
  /** The moment. */
  readonly now: Instant;
}): ServerClockState {
  const { precision, now } = context;
  if (time.synchronized) return { ...time, precision };
  const { localStratum, referenceId } = context.synchronization ?? {};
  if (localStratum === undefined) return unsynchronizedClock(precision);
  return localReferenceClock({
    stratum: localStratum,
    referenceId: parseReferenceId(referenceId ?? "") ?? LOCAL_REFERENCE_ID,
    precision,
    realtime: now.realtime,
    now: now.monotonic,
  });
}
