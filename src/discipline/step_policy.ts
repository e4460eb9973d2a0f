/**
 * Whether an offset is stepped, slewed, or too absurd to be believed.
 *
 * Steps happen only in the first clock updates after a start (chrony's `makestep`), and a panic threshold keeps one bad
 * day of the servers from becoming one of ours.
 *
 * @module
 */
import type { Seconds } from "../base/units.ts";
import type { StepPanicThreshold, SynchronizationConfig } from "../config/config.ts";

/** What to do with an offset. */
export type StepDecision =
  | { readonly kind: "slew" }
  | { readonly kind: "step" }
  | { readonly kind: "panic"; readonly message: string };

/** Counts updates and steps, and decides by the configured limits. */
export class StepPolicy {
  #config: SynchronizationConfig;
  #updates = 0;
  #startup = true;
  #count = 0;
  #accumulated: Seconds = 0;

  /** Starts as at the start of the daemon: steps are allowed, the startup threshold is in force. */
  constructor(config: SynchronizationConfig) {
    this.#config = config;
  }

  /** How many steps were made. */
  get count(): number {
    return this.#count;
  }

  /** The sum of all steps, without sign. */
  get accumulated(): Seconds {
    return this.#accumulated;
  }

  /** Takes over changed limits. */
  reconfigure(config: SynchronizationConfig): void {
    this.#config = config;
  }

  /** Decides about an offset; an update is counted when the clock is then changed (`updated`). */
  decide(offset: Seconds): StepDecision {
    const limit = this.#config.stepLimit;
    const allowed = limit < 0 || this.#updates < limit;
    const beyond = Math.abs(offset) > this.#config.stepThreshold;
    const threshold = this.#startup
      ? this.#config.startupStepPanicThreshold
      : this.#config.singleStepPanicThreshold;
    const bound = panicBound(threshold, offset);
    if (bound !== undefined && Math.abs(offset) > bound) {
      return panic(
        `The clock is ${offset.toFixed(3)} s from what the sources agree on, beyond the ${
          this.#startup ? "startup" : "single"
        }-step-panic-threshold of ${bound} s`,
      );
    }
    if (!beyond || !allowed) return { kind: "slew" };
    const total = this.#config.accumulatedStepPanicThreshold;
    if (total !== undefined && this.#accumulated + Math.abs(offset) > total) {
      return panic(
        `A step of ${
          offset.toFixed(3)
        } s would bring the sum of steps beyond the accumulated-step-panic-threshold of ${total} s`,
      );
    }
    return { kind: "step" };
  }

  /** Counts a clock update; `step` is what was stepped, 0 if nothing was. */
  updated(step: Seconds): void {
    this.#updates++;
    this.#startup = false;
    if (step === 0) return;
    this.#count++;
    this.#accumulated += Math.abs(step);
  }

  /** Allows steps as at the start: somebody else changed the clock, or the machine slept. */
  renew(): void {
    this.#updates = 0;
    this.#startup = true;
  }
}

function panicBound(threshold: StepPanicThreshold, offset: Seconds): Seconds | undefined {
  return offset > 0 ? threshold.forward : threshold.backward;
}

function panic(message: string): StepDecision {
  return { kind: "panic", message };
}
