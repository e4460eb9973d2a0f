/**
 * What a witness has seen, in a few numbers.
 *
 * @module
 */
import type { Sight } from "./world.ts";

/** In seconds. */
export const MICROSECONDS = 1e-6;

const MILLISECOND = 1e-3;

/** The error of a clock once it has settled. */
export interface SettledError {
  /** The root of the mean square of the error, in seconds. */
  readonly rms: number;
  /** The largest error, in seconds. */
  readonly largest: number;
  /** The fastest or slowest rate, in parts per million. */
  readonly largestRatePpm: number;
  /** When the error was within a millisecond for good, in seconds since the first sight. */
  readonly withinMillisecondAfter: number;
  /** All of it, for people. */
  readonly text: string;
}

/** Sums up the sights that are at least so many seconds after the first one. */
export function settledError(sights: readonly Sight[], seconds: number): SettledError {
  const start = sights[0]?.at ?? 0;
  const settled = sights.filter(({ at }) => at - start >= seconds);
  const errors = settled.map(({ errorSeconds }) => Math.abs(errorSeconds));
  const largestRatePpm = Math.max(...settled.map(({ ratePpm }) => Math.abs(ratePpm)));
  const last = sights.findLastIndex(({ errorSeconds }) => Math.abs(errorSeconds) > MILLISECOND);
  const withinMillisecondAfter = (sights[last + 1]?.at ?? Infinity) - start;
  const rms = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
  const largest = Math.max(...errors);
  const text = `RMS ${(rms / MICROSECONDS).toFixed(0)} us, at most ` +
    `${(largest / MICROSECONDS).toFixed(0)} us, rate at most ${largestRatePpm.toFixed(1)} ppm; ` +
    `within 1 ms for good after ${withinMillisecondAfter.toFixed(1)} s`;
  return { rms, largest, largestRatePpm, withinMillisecondAfter, text };
}
