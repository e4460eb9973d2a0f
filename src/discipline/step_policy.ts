/**
 * Whether an offset is stepped, slewed, or too absurd to be believed.
 *
 * Steps happen only in the first clock updates after a start (chrony's `makestep`). A panic
 * threshold limits the damage that wrong servers can do. At the start the threshold is wide only
 * for a time that is authenticated: otherwise forged packets would only have to arrive at a start.
 * A step from outside is no reason for panic: the correction brings the clock back to where it was.
 *
 * @module
 */
import { clockPosition } from "../base/clock_position.ts";
import type { Seconds } from "../base/units.ts";
import type { StepPanicThreshold, SynchronizationConfig } from "../config/config.ts";

/** What to do with an offset. */
export type StepDecision =
  | { readonly kind: "slew" }
  | { readonly kind: "step" }
  | { readonly kind: "panic"; readonly message: string };

/** The default at the start: as far as a clock with a battery goes wrong. */
const STARTUP_THRESHOLD: StepPanicThreshold = { forward: 1800, backward: 1800 };
/**
 * The default for a time that authenticated sources vouch for: a machine without a battery wakes up
 * in the past, and one whose clock was set by a forger in the future. How far back they may lead is
 * bounded by the last time that was vouched for.
 */
const VOUCHED_STARTUP_THRESHOLD: StepPanicThreshold = { forward: undefined, backward: undefined };

/** Counts updates and steps, and decides by the configured limits. */
export class StepPolicy {
  #config: SynchronizationConfig;
  #updates = 0;
  #startup = true;
  #hasUpdated = false;
  /** The offset that is expected after steps from outside, as far as it is not yet corrected. */
  #expected: Seconds = 0;
  #count = 0;
  #accumulated: Seconds = 0;

  /** Starts as at the start of the daemon: steps are allowed, the startup threshold is in force. */
  constructor(config: SynchronizationConfig) {
    this.#config = config;
  }

  /**
   * Whether the clock has not been updated since the start, or since it was changed from outside.
   */
  get isStartup(): boolean {
    return this.#startup;
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

  /**
   * Decides about an offset; an update is counted when the clock is then changed (`updated`).
   * `isVouchedFor` tells whether a majority of authenticated sources stands behind it.
   */
  decide(offset: Seconds, isVouchedFor = false): StepDecision {
    const limit = this.#config.stepLimit;
    const allowed = limit < 0 || this.#updates < limit;
    const beyond = this.isBeyondStep(offset);
    const bound = panicBound(this.#threshold(isVouchedFor), this.#unexplained(offset));
    if (bound !== undefined && Math.abs(this.#unexplained(offset)) > bound) {
      return panic(
        `The clock is ${clockPosition(offset, 3)} what the sources agree on, beyond the ${
          this.#startup ? "startup" : "single"
        }-step-panic-threshold of ${bound} s; ${this.#advice(offset, isVouchedFor)}`,
      );
    }
    if (!beyond || !allowed) return { kind: "slew" };
    const total = this.#config.accumulatedStepPanicThreshold;
    if (total !== undefined && this.#accumulated + Math.abs(offset) > total) {
      return panic(
        `A step of ${
          offset.toFixed(3)
        } s would bring the sum of steps beyond the accumulated-step-panic-threshold of ${total} s; ` +
          "if it is right, set the clock by hand, or raise the threshold in [synchronization]",
      );
    }
    return { kind: "step" };
  }

  /** Tells whether an offset is large enough for a step, if one is allowed. */
  isBeyondStep(offset: Seconds): boolean {
    return Math.abs(offset) > this.#config.stepThreshold;
  }

  /**
   * Counts a clock update; `step` is what was stepped, 0 if nothing was, and `left` the offset that
   * is being slewed.
   */
  updated(step: Seconds, left: Seconds = 0): void {
    this.#updates++;
    this.#startup = false;
    this.#hasUpdated = true;
    const [low, high] = [Math.min(0, this.#expected), Math.max(0, this.#expected)];
    this.#expected = Math.min(high, Math.max(low, left));
    if (step === 0) return;
    this.#count++;
    this.#accumulated += Math.abs(step);
  }

  /**
   * Allows steps as at the start: the clock was changed from outside by `gained`, or the machine
   * slept. Before the first update nothing is known of the clock that a step from outside could
   * have spoiled.
   */
  renew(gained: Seconds = 0): void {
    this.#updates = 0;
    this.#startup = true;
    if (this.#hasUpdated) this.#expected -= gained;
  }

  #threshold(isVouchedFor: boolean): StepPanicThreshold {
    return this.#startup
      ? this.#startupThreshold(isVouchedFor)
      : this.#config.singleStepPanicThreshold;
  }

  #startupThreshold(isVouchedFor: boolean): StepPanicThreshold {
    return this.#config.startupStepPanicThreshold ??
      (isVouchedFor ? VOUCHED_STARTUP_THRESHOLD : STARTUP_THRESHOLD);
  }

  /** Returns the part of an offset that no step from outside explains. */
  #unexplained(offset: Seconds): Seconds {
    const unexplained = offset - this.#expected;
    return Math.abs(unexplained) < Math.abs(offset) ? unexplained : offset;
  }

  #advice(offset: Seconds, isVouchedFor: boolean): string {
    if (!this.#startup) {
      const bound = panicBound(this.#startupThreshold(isVouchedFor), offset);
      const mayStart = bound === undefined || Math.abs(offset) <= bound;
      return mayStart
        ? "if the sources are right, start ntpsd again, which may correct so much then"
        : "if the sources are right, set the clock by hand and start ntpsd again";
    }
    const who = isVouchedFor ? "" : "no majority of authenticated sources vouches for it; ";
    return `${who}if it is right, set the clock by hand, or allow it by startup-step-panic-threshold = ` +
      '{ forward = "inf", backward = "1d" } in [synchronization]';
  }
}

function panicBound(threshold: StepPanicThreshold, offset: Seconds): Seconds | undefined {
  return offset > 0 ? threshold.forward : threshold.backward;
}

function panic(message: string): StepDecision {
  return { kind: "panic", message };
}
