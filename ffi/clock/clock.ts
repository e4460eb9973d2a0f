/**
 * The kernel's clocks.
 *
 * The idea: real time is read as whole nanoseconds, because no double can hold it; for the server's
 * answer path also as two 32-bit words, without a `bigint`. Waiting and ageing use the boot-time
 * clock, which is never stepped and runs on while the machine sleeps. Limits: reads cannot fail on
 * a kernel that has these clocks (all since 2.6.39).
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { UNIX_EPOCH_IN_NTP_SECONDS } from "../../src/base/epoch.ts";
import type { UnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import {
  type MonotonicSeconds,
  NANOSECONDS_PER_SECOND,
  type PollExponent,
} from "../../src/base/units.ts";
import { CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, TIMESPEC } from "../headers/time.ts";
import { libc } from "../libc.ts";
import { allocate } from "../memory.ts";

const FRACTION_PER_NANOSECOND = 4.294_967_296;
// The places of the fields: the low words of both, and both whole.
const TV_SEC = TIMESPEC.tv_sec / 4;
const TV_NSEC = TIMESPEC.tv_nsec / 4;
const TV_SEC_LONG = TIMESPEC.tv_sec / 8;
const TV_NSEC_LONG = TIMESPEC.tv_nsec / 8;

const timespec = allocate(TIMESPEC.sizeof);
const longs = new BigInt64Array(timespec.bytes.buffer);

/** Reads the real-time clock in nanoseconds since 1970. */
export function realtimeNow(): UnixNanoseconds {
  return readNanoseconds(CLOCK_REALTIME);
}

/** Reads the boot-time clock in seconds: never stepped, runs on through suspend. */
export function boottimeNow(): MonotonicSeconds {
  readInto(CLOCK_BOOTTIME);
  return (timespec.words[TV_SEC] ?? 0) + (timespec.words[TV_NSEC] ?? 0) / 1e9;
}

/** Reads the boot-time clock in nanoseconds. */
export function boottimeNanoseconds(): bigint {
  return readNanoseconds(CLOCK_BOOTTIME);
}

/**
 * Reads the monotonic clock in nanoseconds; unlike the boot-time clock it stands still while the
 * machine sleeps.
 */
export function monotonicNanoseconds(): bigint {
  return readNanoseconds(CLOCK_MONOTONIC);
}

/**
 * Reads the real-time clock as an NTP timestamp into `out[index]` (seconds of the era) and
 * `out[index + 1]` (fraction, rounded down). It allocates nothing: for the server's answer path
 * (RFC 5905 section 6).
 */
export function readRealtimeNtp(out: Uint32Array, index: number): void {
  readInto(CLOCK_REALTIME);
  const { words } = timespec;
  writeNtpTimestamp(out, index, words[TV_SEC] ?? 0, words[TV_NSEC] ?? 0);
}

/**
 * Writes a time of the kernel (the low words of a `struct timespec`) as an NTP timestamp into
 * `out[index]` and `out[index + 1]`, as `readRealtimeNtp` does. (Plain arguments, because this runs
 * for every packet.)
 */
export function writeNtpTimestamp(
  out: Uint32Array,
  index: number,
  seconds: number,
  nanoseconds: number,
): void {
  out[index] = seconds + UNIX_EPOCH_IN_NTP_SECONDS;
  out[index + 1] = nanoseconds * FRACTION_PER_NANOSECOND;
}

/**
 * Measures the precision of the real-time clock as the exponent of two that is nearest to the
 * shortest time in which it is seen to advance, reading included; -32 to 0. It takes about a
 * millisecond (RFC 5905 section 7.3).
 */
export function measureClockPrecision(): PollExponent {
  let shortest = NANOSECONDS_PER_SECOND;
  let previous = realtimeNow();
  for (let advances = 0, reads = 0; advances < 3000 && reads < 100_000; reads++) {
    const now = realtimeNow();
    if (now > previous) {
      advances++;
      if (now - previous < shortest) shortest = now - previous;
    }
    previous = now;
  }
  return Math.min(0, Math.max(-32, Math.round(Math.log2(Number(shortest) / 1e9))));
}

function readNanoseconds(clock: number): bigint {
  readInto(clock);
  return (longs[TV_SEC_LONG] ?? 0n) * NANOSECONDS_PER_SECOND + (longs[TV_NSEC_LONG] ?? 0n);
}

function readInto(clock: number): void {
  assert(
    libc().clock_gettime(clock, timespec.bytes) === 0,
    "A clock that every kernel has is missing",
  );
}
