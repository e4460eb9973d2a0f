/**
 * Gathers what a snapshot is made from out of the parts of an engine.
 *
 * @module
 */
import type { Instant } from "../../base/instant.ts";
import type { SynchronizationConfig } from "../../config/config.ts";
import type { ClockState } from "../clock/clock_state.ts";
import type { EngineParts } from "../engine_parts.ts";
import type { SnapshotInput } from "./snapshot_writer.ts";

/** Reads the state of a moment. */
export function snapshotInput(
  engine: {
    readonly parts: EngineParts;
    readonly clock: ClockState;
    readonly synchronization: SynchronizationConfig;
  },
  now: Instant,
): SnapshotInput {
  const { parts, clock, synchronization } = engine;
  const { provisional, sources, discipline, selection, faults, control } = parts;
  return {
    now: now.monotonic,
    realtime: now.realtime,
    knowledge: clock.knowledge(now.monotonic),
    leap: clock.leapAt(now),
    synchronization,
    entries: sources.entries,
    steps: control.steps,
    mayAdjust: control.mayAdjust,
    provisional,
    discipline,
    selection,
    faults,
  };
}
