/**
 * Carries the estimate over to the clock: when to slew, when to step, what to tell the kernel.
 *
 * The idea: one command at a time. A command says the whole rate from now on; the world answers
 * what is really in force and when, and only that answer enters the account of corrections. A slew
 * ends by a timer, and what is left then is known. Limits: it neither chooses sources nor
 * estimates; without permission to adjust it commands nothing. The log is told by `ClockReports`.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import type { Instant } from "../../base/instant.ts";
import type { Result } from "../../base/result.ts";
import { type MonotonicSeconds, PPM, type Ppm, type Seconds } from "../../base/units.ts";
import type { ClockConfig, SynchronizationConfig } from "../../config/config.ts";
import type { Discipline, SystemEstimate } from "../../discipline/discipline.ts";
import { isRight, planSlew, START_TIME } from "../../discipline/steering.ts";
import { StepPolicy } from "../../discipline/step_policy.ts";
import type { Action, ClockReading, KernelStatus, SetClockAction } from "../events.ts";
import { ClockReports } from "../reports/clock_reports.ts";
import { ERROR_BOUND_MAX } from "../status/system_variables.ts";

/**
 * How the sentence begins that says why the clock is not set although sources agree: the offset is
 * beyond a panic threshold.
 */
const LEFT_ALONE = "The clock is left alone while authenticated sources may still answer";

/**
 * So long a time beyond the panic threshold at the start waits for authenticated sources that may
 * vouch for it.
 */
const VOUCHER_PATIENCE: Seconds = 300;
/** The kernel's idea of the error grows by itself, so it is refreshed at least this often. */
const REFRESH_INTERVAL: Seconds = 64;
/**
 * How fast our error may grow at the most without news; beyond that a wake-up would come too late.
 */
const ERROR_GROWTH_MAX = 1e-3;
/** The least time between two looks at an error that is about to be too large. */
const REFRESH_INTERVAL_MIN: Seconds = 1;
/**
 * By so much less than the bound of the state the kernel is told: what the error may grow until the
 * next look.
 */
const KERNEL_HEADROOM: Seconds = ERROR_GROWTH_MAX * REFRESH_INTERVAL_MIN;
/** Up to this error the kernel is told that the clock is synchronised. */
export const KERNEL_ERROR_MAX: Seconds = ERROR_BOUND_MAX - KERNEL_HEADROOM;
/**
 * An offset that is not worth a slew when one has just ended: this part of its uncertainty, or the
 * shortest time.
 */
const NEGLIGIBLE_PART = 0.05;
const NEGLIGIBLE: Seconds = 2e-8;

/** What steering depends on besides the estimate. */
export interface SteeringContext {
  /** The moment at which the offset holds. */
  readonly now: Instant;
  /** The shortest interval at which believed sources are asked. */
  readonly pollInterval: Seconds;
  /** One standard deviation of the offset, without what the paths' asymmetry may add. */
  readonly uncertainty: Seconds;
  /** What the kernel is told along with the command. */
  readonly status: KernelStatus;
  /** Whether a majority of authenticated sources stands behind the time. */
  readonly isVouchedFor?: boolean;
  /** Whether enough are configured for that, so that they may still come. */
  readonly mayBeVouchedFor?: boolean;
}

/** The clock's control. */
export class ClockControl {
  readonly #discipline: Discipline;
  readonly #steps: StepPolicy;
  #clock: ClockConfig;
  readonly #mayAdjust: boolean;
  #slewEnds: MonotonicSeconds = Infinity;
  #refreshAt: MonotonicSeconds = Infinity;
  #commanded: SetClockAction | undefined;
  /** Whether the kernel was told last that the time is known. */
  #hasToldTime = false;
  /** The clock's own frequency by the last estimate that was acted on. */
  #baseFrequency: number | undefined;
  /**
   * When the start is over: a while after the first steering since the clock was set, or once the
   * clock is seen to be right.
   */
  #startEnds: MonotonicSeconds | undefined;
  #hasPanicked = false;
  #waiting: string | undefined;
  /** Since when a time beyond the panic threshold waits for sources that may vouch for it. */
  #waitingSince: MonotonicSeconds | undefined;
  readonly #reports = new ClockReports();

  /** Commands nothing until the first `update`; with `mayAdjust` false it never does. */
  constructor(options: {
    readonly discipline: Discipline;
    readonly synchronization: SynchronizationConfig;
    readonly clock: ClockConfig;
    readonly mayAdjust: boolean;
  }) {
    this.#discipline = options.discipline;
    this.#steps = new StepPolicy(options.synchronization);
    this.#clock = options.clock;
    this.#mayAdjust = options.mayAdjust;
  }

  /** Whether the clock is adjusted at all. */
  get mayAdjust(): boolean {
    return this.#mayAdjust;
  }

  /** How fast the error of the clock may grow without notice, seconds per second. */
  get maxClockError(): number {
    return this.#clock.maxClockError * PPM;
  }

  /**
   * Why the clock is left alone although sources agree, in a sentence; undefined when it is not.
   */
  get waiting(): string | undefined {
    return this.#waiting;
  }

  /**
   * Whether an offset was beyond a panic threshold: nothing that was learned since can be trusted.
   */
  get hasPanicked(): boolean {
    return this.#hasPanicked;
  }

  /** The steps made so far. */
  get steps(): { readonly count: number; readonly accumulatedSeconds: number } {
    return { count: this.#steps.count, accumulatedSeconds: this.#steps.accumulated };
  }

  /** When `handleTimer` wants to be called. */
  nextWakeup(): MonotonicSeconds {
    return this.#hasPanicked ? Infinity : Math.min(this.#slewEnds, this.#refreshAt);
  }

  /** Takes over changed limits. */
  reconfigure(synchronization: SynchronizationConfig, clock: ClockConfig): void {
    this.#steps.reconfigure(synchronization);
    this.#clock = clock;
  }

  /** Acts on a new estimate. */
  update(
    estimate: SystemEstimate,
    context: SteeringContext,
  ): readonly Action[] {
    const { offset } = estimate;
    const now = context.now.monotonic;
    const distance = { offset, isFar: this.#steps.isBeyondStep(offset) };
    if (!this.#mayAdjust) return this.#reports.measured(distance, now);
    if (this.#hasPanicked) return [];
    const decision = this.#steps.decide(offset, context.isVouchedFor);
    if (decision.kind === "panic") {
      return this.#mayWait(context)
        ? this.#wait(decision.message, now)
        : this.#panic(decision.message, context.status);
    }
    this.#endWait();
    this.#reports.waiting(undefined, now);
    const step = decision.kind === "step" ? offset : 0;
    this.#steps.updated(step, offset - step);
    const told = step === 0
      ? this.#reports.slewed({ ...distance, maxSlew: this.#clock.maxSlew }, now)
      : this.#reports.stepped(step);
    return [...told, ...this.#steer(estimate, { ...context, step })];
  }

  /** Ends a slew that is due, and keeps the kernel's idea of our error fresh. */
  handleTimer(
    estimate: SystemEstimate | undefined,
    context: SteeringContext,
  ): readonly Action[] {
    const { monotonic } = context.now;
    if (!this.#mayAdjust || this.#hasPanicked || monotonic < this.nextWakeup()) return [];
    if (estimate === undefined || this.#waiting !== undefined) {
      const action = { frequency: this.#discipline.rate / PPM, step: 0, status: context.status };
      this.#slewEnds = Infinity;
      return this.#command(action, monotonic);
    }
    return this.#steer(estimate, { ...context, step: 0 });
  }

  /** Lets the kernel be told at once when the time that it was told is not known any more. */
  noteStatus({ synchronized }: KernelStatus, now: MonotonicSeconds): void {
    if (this.#hasToldTime && !synchronized) this.#refreshAt = now;
  }

  /** Takes in what the world says of the last command. */
  commandDone(result: Result<ClockReading, string>, now: Instant): readonly Action[] {
    const commanded = this.#commanded;
    this.#commanded = undefined;
    const told = this.#reports.commanded(result.ok ? undefined : result.error, now.monotonic);
    if (!result.ok) return told;
    const { frequency: actual, step } = result.value;
    this.#discipline.rateChanged(now.monotonic, actual * PPM);
    if (step !== 0) this.#discipline.stepped(step);
    return this.#reports.ran({ wanted: commanded?.frequency ?? actual, actual }, now.monotonic);
  }

  /**
   * Forgets what was going on, because the clock was changed from outside by `gained`; steps are
   * allowed again as at the start.
   */
  restart(gained: Seconds = 0): void {
    this.#slewEnds = Infinity;
    this.#startEnds = undefined;
    this.#endWait();
    this.#steps.renew(gained);
  }

  /**
   * Tells the kernel at once what it may say of us, and ends a slew: after a change from outside
   * nothing is known of what it was to remove, and no source may answer for long.
   */
  announce(status: KernelStatus, now: Instant): readonly Action[] {
    if (!this.#mayAdjust) return [];
    const frequency = (this.#baseFrequency ?? this.#discipline.rate) / PPM;
    return this.#command({ frequency, step: 0, status }, now.monotonic);
  }

  /** Takes the frequency of a drift file at once: until a source responds, none better is known. */
  beginWith(
    frequency: Ppm,
    context: { readonly status: KernelStatus; readonly now: Instant },
  ): readonly Action[] {
    if (!this.#mayAdjust) return [];
    const wanted = this.#clamp(frequency * PPM) / PPM;
    const command = { frequency: wanted, step: 0, status: context.status };
    return this.#command(command, context.now.monotonic);
  }

  /** Returns the command that leaves the clock at its own best frequency, for the time after us. */
  finalCommand(estimate: SystemEstimate | undefined, status: KernelStatus): readonly Action[] {
    if (!this.#mayAdjust || this.#hasPanicked || estimate === undefined) return [];
    return [{
      type: "set-clock",
      frequency: this.#clamp(estimate.frequency) / PPM,
      step: 0,
      status,
    }];
  }

  #steer(
    estimate: SystemEstimate,
    context: SteeringContext & { readonly step: Seconds },
  ): readonly Action[] {
    const now = context.now.monotonic;
    const slewEnded = now >= this.#slewEnds;
    const remaining = estimate.offset - context.step;
    const uncertainty = context.uncertainty;
    const negligible = Math.max(NEGLIGIBLE, NEGLIGIBLE_PART * uncertainty);
    const done = context.step !== 0 || (slewEnded && Math.abs(remaining) < negligible);
    const plan = planSlew(done ? 0 : remaining, {
      now,
      pollInterval: context.pollInterval,
      uncertainty,
      maxSlew: this.#clock.maxSlew * PPM,
      isStarting: now < (this.#startEnds ??= now + START_TIME),
    });
    const deviations = { offset: uncertainty, frequency: Math.sqrt(estimate.frequencyVariance) };
    if (context.step === 0 && isRight(remaining, deviations)) this.#startEnds = now;
    this.#slewEnds = plan.until;
    this.#baseFrequency = this.#clamp(estimate.frequency);
    const frequency: Ppm = (this.#baseFrequency + plan.slew) / PPM;
    const actions = this.#command({ frequency, step: context.step, status: context.status }, now);
    const needed = { frequency: estimate.frequency / PPM, limit: this.#clock.maxFrequency };
    return [...this.#reports.limited(needed, now), ...actions];
  }

  /**
   * The patience runs from the first such time: before it no source could answer, perhaps because
   * there was no network.
   */
  #mayWait({ isVouchedFor, mayBeVouchedFor, now }: SteeringContext): boolean {
    if (!this.#steps.isStartup || isVouchedFor || !mayBeVouchedFor) return false;
    return now.monotonic < (this.#waitingSince ?? now.monotonic) + VOUCHER_PATIENCE;
  }

  /** Leaves the clock alone for now, and says so. */
  #wait(message: string, now: MonotonicSeconds): readonly Action[] {
    this.#waitingSince ??= now;
    this.#waiting = `${LEFT_ALONE}: ${message}`;
    return this.#reports.waiting(this.#waiting, now);
  }

  #endWait(): void {
    this.#waiting = undefined;
    this.#waitingSince = undefined;
  }

  /**
   * Ends a slew that is under way, at the frequency from before the panic, and tells the kernel
   * that the time is not known.
   */
  #panic(message: string, status: KernelStatus): readonly Action[] {
    this.#hasPanicked = true;
    return [
      {
        type: "set-clock",
        frequency: (this.#baseFrequency ?? this.#discipline.rate) / PPM,
        step: 0,
        status: { ...status, synchronized: false, leap: "unknown" },
      },
      { type: "panic", message },
    ];
  }

  #command(
    change: { readonly frequency: Ppm; readonly step: Seconds; readonly status: KernelStatus },
    now: MonotonicSeconds,
  ): readonly Action[] {
    assert(this.#mayAdjust, "The clock is commanded with permission alone");
    this.#refreshAt = now + refreshInterval(change.status);
    this.#hasToldTime = change.status.synchronized;
    this.#commanded = { type: "set-clock", ...change };
    return [this.#commanded];
  }

  #clamp(frequency: number): number {
    const limit = this.#clock.maxFrequency * PPM;
    return Math.min(limit, Math.max(-limit, frequency));
  }
}

/**
 * How long the kernel may be left with what it was told: less when our error is about to be too
 * large.
 */
function refreshInterval({ synchronized, maxError }: KernelStatus): Seconds {
  if (!synchronized) return REFRESH_INTERVAL;
  const headroom = (KERNEL_ERROR_MAX - maxError) / ERROR_GROWTH_MAX;
  return Math.min(REFRESH_INTERVAL, Math.max(REFRESH_INTERVAL_MIN, headroom));
}
