/**
 * What is known of our clock at a moment: for status, for clients, for the kernel and
 * for the next command.
 *
 * Limits: it only reads; the machines are their owners' to change.
 *
 * @module
 */
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { SteeringContext } from "./clock_control.ts";
import type { EngineParts } from "../engine_parts.ts";
import type { Instant, KernelStatus } from "../events.ts";
import { kernelStatusOf } from "./kernel_status.ts";
import { isLeapStep, isLeapTurmoil } from "../leap/leap_second.ts";
import { shortestInterval } from "../sources/poll_keeper.ts";
import type { Knowledge } from "../status/system_variables.ts";

/** Reads the machines of an engine. */
export class ClockState {
  readonly #parts: EngineParts;
  readonly #notAdjustedReason: string | undefined;

  /** `notAdjustedReason` says why the clock may not be adjusted. */
  constructor(parts: EngineParts, notAdjustedReason: string | undefined) {
    this.#parts = parts;
    this.#notAdjustedReason = notAdjustedReason;
  }

  /** Returns what the system variables are computed from. */
  knowledge(now: MonotonicSeconds): Knowledge {
    const { control, discipline, selection } = this.#parts;
    const { reference } = selection;
    return {
      now,
      mayAdjust: control.mayAdjust,
      maxClockError: control.maxClockError,
      notAdjustedReason: this.#notAdjustedReason,
      selected: selection.selected,
      reference,
      estimate: discipline.systemAt(now),
      waiting: control.waiting,
      distance: reference && discipline.distanceTo(reference.association, now),
    };
  }

  /** Returns what a command to the clock depends on. */
  steering(now: Instant): SteeringContext {
    const { sources, selection } = this.#parts;
    const knowledge = this.knowledge(now.monotonic);
    const uncertainty = Math.sqrt(
      knowledge.distance?.variance ?? knowledge.estimate?.offsetVariance ?? 0,
    );
    const status = this.kernelStatus(now, knowledge);
    const pollInterval = shortestInterval(sources.members, selection.believed);
    const { isVouchedFor, hasVouchers: mayBeVouchedFor } = selection;
    return { now, pollInterval, uncertainty, status, isVouchedFor, mayBeVouchedFor };
  }

  /** Returns what the kernel may say of our clock. */
  kernelStatus(now: Instant, knowledge = this.knowledge(now.monotonic)): KernelStatus {
    return kernelStatusOf(knowledge, {
      realtime: now.realtime,
      leap: () => this.leapAt(now),
      // while the leap happens, the kernel counts TAI itself
      taiOffset: () =>
        this.isLeapTurmoil(now) ? undefined : this.#parts.leaps.taiOffset(now.realtime),
    });
  }

  /** Returns the leap second that is believed to come. */
  leapAt(now: Instant): LeapIndicator {
    return this.#parts.leaps.announced(this.#parts.selection.leap, now.realtime);
  }

  /** Tells whether a step of the clock by `gained` was the kernel's leap second. */
  isLeapStep(gained: Seconds, now: Instant): boolean {
    return isLeapStep(this.#leapNear(now), { gained, at: now.realtime });
  }

  /** Tells whether measurements are to be ignored because a leap second is just happening. */
  isLeapTurmoil(now: Instant): boolean {
    return isLeapTurmoil(this.#leapNear(now), now.realtime);
  }

  /** The leap second that is believed to come, or that may just have happened. */
  #leapNear(now: Instant): LeapIndicator {
    return this.#parts.leaps.near(this.#parts.selection.leap, now.realtime);
  }
}
