/**
 * What the kernel's clock shows of leap seconds, for commands.
 *
 * Touches the clocks of the kernel, by reading them.
 *
 * @module
 */
import { realtimeNow } from "../../ffi/clock/clock.ts";
import { type KernelLeapState, readKernelClock } from "../../ffi/clock/timex.ts";
import { UNIX_EPOCH_IN_NTP_SECONDS } from "../base/epoch.ts";
import { NANOSECONDS_PER_SECOND, type Seconds } from "../base/units.ts";

/** The clock at one moment. */
export interface ClockFacts {
  /** The time in seconds since 1900-01-01, without leap seconds. */
  readonly secondsSince1900: Seconds;
  /** What the kernel knows of leap seconds; undefined where it cannot be asked. */
  readonly kernel: KernelLeapFacts | undefined;
}

/** What a kernel knows of leap seconds. */
export interface KernelLeapFacts {
  /** TAI minus UTC; zero where it was not told. */
  readonly taiOffsetSeconds: Seconds;
  /** A leap second at the end of this day, if there is one. */
  readonly leap: "none" | "insert" | "delete";
}

/** Reads the real-time clock, in whole seconds since 1900-01-01 without leap seconds. */
export function nowSince1900(): Seconds {
  return Number(realtimeNow() / NANOSECONDS_PER_SECOND) + UNIX_EPOCH_IN_NTP_SECONDS;
}

/** Reads them. */
export function readClockFacts(): ClockFacts {
  const secondsSince1900 = nowSince1900();
  const read = readKernelClock();
  if (!read.ok) return { secondsSince1900, kernel: undefined };
  const { taiOffsetSeconds, state } = read.value;
  return { secondsSince1900, kernel: { taiOffsetSeconds, leap: announced(state) } };
}

function announced(state: KernelLeapState): KernelLeapFacts["leap"] {
  return state === "insert" || state === "delete" ? state : "none";
}
