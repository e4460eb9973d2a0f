/**
 * What the kernel is told of our clock, for the programs that ask it.
 *
 * @module
 */
import type { LeapIndicator } from "../../protocol/leap_indicator.ts";
import type { NtpTimestamp } from "../../base/ntp_timestamp.ts";
import type { Seconds } from "../../base/units.ts";

import { KERNEL_ERROR_MAX } from "./clock_control.ts";
import type { KernelStatus } from "../events.ts";
import { leapForKernel } from "../leap/leap_second.ts";
import { errorBudget, type Knowledge, systemState } from "../status/system_variables.ts";

/** What the kernel is told when nothing is known: the largest error that it takes. */
const ERROR_UNKNOWN: Seconds = 16;

/** What the status depends on beside our knowledge. */
export interface KernelStatusContext {
  /** The local clock. */
  readonly realtime: NtpTimestamp;
  /** The leap second that is believed to come; asked for only when our time counts. */
  leap(): LeapIndicator;
  /** TAI minus UTC if it is known and not about to change; asked for only when our time counts. */
  taiOffset(): Seconds | undefined;
}

/** Says what the kernel may say of our clock, given what is known of it. */
export function kernelStatusOf(knowledge: Knowledge, context: KernelStatusContext): KernelStatus {
  const budget = errorBudget(knowledge);
  const state = systemState(knowledge, budget);
  const isKnown = state === "synchronized" || state === "holdover";
  const synchronized = isKnown && (budget?.errorBound ?? Infinity) <= KERNEL_ERROR_MAX;
  return {
    synchronized,
    leap: leapForKernel(synchronized ? context.leap() : "unknown", context.realtime),
    maxError: budget?.errorBound ?? ERROR_UNKNOWN,
    estimatedError: Math.sqrt(knowledge.estimate?.offsetVariance ?? ERROR_UNKNOWN ** 2),
    taiOffset: synchronized ? context.taiOffset() : undefined,
  };
}
