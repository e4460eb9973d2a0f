/**
 * Puts the real engine into a simulated world.
 *
 * @module
 */
import { Engine } from "../engine/engine.ts";
import type { DrivenEngine, EngineSeed } from "./world.ts";

/** Makes the engine that the daemon runs too. It may adjust the simulated clock unless its configuration forbids it. */
export function createSimulatedEngine(seed: EngineSeed): DrivenEngine {
  return new Engine({ ...seed, mayAdjust: seed.config.clock.adjust !== false });
}
