/**
 * The engine in a simulated world: what the world needs of it, and how it is made.
 *
 * @module
 */
import type { RandomSource } from "../base/random.ts";
import type { MonotonicSeconds, Ppm, Seconds } from "../base/units.ts";
import type { Config } from "../config/config.ts";
import { Engine } from "../engine/engine.ts";
import type { Action, Event, Instant } from "../engine/events.ts";
import type { EngineSnapshot } from "../engine/status/snapshot.ts";

/** The engine, as far as the world needs it. */
export interface DrivenEngine {
  /** Takes an event and returns what is to be done. */
  handle(event: Event, now: Instant): readonly Action[];
  /** When it wants its next timer event. */
  nextWakeup(): MonotonicSeconds;
  /** Its state for readers. */
  snapshot(now: Instant): EngineSnapshot;
}

/** What an engine is made from. */
export interface EngineSeed {
  /** The configuration of ntpsd. */
  readonly config: Config;
  /** Where it draws from. */
  readonly random: RandomSource;
  /** The moment on its clocks. */
  readonly now: Instant;
  /** The correction that the kernel applies at the start. */
  readonly frequency: Ppm;
  /** The step between two readings of the clock. */
  readonly clockPrecision: Seconds;
  /** The machine's own addresses. */
  readonly ownAddresses: readonly string[];
}

/**
 * Makes the engine that the daemon runs too. It may adjust the simulated clock unless its
 * configuration forbids it.
 */
export function createSimulatedEngine(seed: EngineSeed): DrivenEngine {
  return new Engine({ ...seed, mayAdjust: seed.config.clock.adjust !== false });
}
