/**
 * Units of measure as types, so that seconds cannot be passed where parts per million are wanted.
 *
 * The idea: a unit is a number with an optional, never-present mark. Plain numbers flow in
 * (arithmetic needs no casts), but a value of one unit does not flow into another. Limits: these
 * hold differences only; an absolute time is never a double (its step in 2026 is 477 ns), see
 * `ntp_timestamp.ts`.
 *
 * @module
 */

declare const unit: unique symbol;

/** A number that carries the name of its unit in the type system alone. */
export type Quantity<Unit extends string> = number & { readonly [unit]?: Unit };

/**
 * A time difference in seconds. As an offset: positive when the server is ahead of the local clock
 * (RFC 5905 theta).
 */
export type Seconds = Quantity<"s">;

/** A frequency in parts per million; positive makes the local clock run faster. */
export type Ppm = Quantity<"ppm">;

/**
 * A reading of the boot-time clock in seconds: it never goes back, is not stepped, and runs on
 * through suspend. Its origin is arbitrary; only differences mean something.
 */
export type MonotonicSeconds = Quantity<"monotonic s">;

/** A poll exponent: the interval is 2 to the power of it, in seconds (RFC 5905 section 7.3). */
export type PollExponent = Quantity<"log2 s">;

/** An absolute time in Unix seconds, precise enough for the dates of certificates and files. */
export type UnixSeconds = number;

/** One part per million, as a fraction. */
export const PPM = 1e-6;

/** Seconds in a day of UTC without a leap second. */
export const SECONDS_PER_DAY: Seconds = 86_400;

/** Nanoseconds in a second, for kernel times. */
export const NANOSECONDS_PER_SECOND = 1_000_000_000n;

/** Nanoseconds in a day of UTC without a leap second. */
export const NANOSECONDS_PER_DAY = 86_400n * NANOSECONDS_PER_SECOND;
