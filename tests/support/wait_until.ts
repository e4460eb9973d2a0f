/**
 * Waiting in tests: for a condition, with a limit, instead of for a guessed time.
 *
 * @module
 */
import process from "node:process";

/**
 * So long a test waits for what must come: a machine may be ten times as slow as it should be, and
 * a wait that is not in vain costs nothing.
 */
export const PATIENCE_MS = 60_000;

/** How long to wait, how often to look, and what to say when it was in vain. */
export interface WaitOptions {
  /** Milliseconds until the wait fails. */
  readonly timeoutMs: number;
  /** Milliseconds between looks; 25 unless given. */
  readonly everyMs?: number;
  /** What was waited for, told when the wait fails. */
  readonly what: () => string;
}

/**
 * Waits until `look` answers with something true and hands that back; throws when time runs out.
 */
export async function waitUntil<Value>(
  look: () => Value | Promise<Value>,
  options: WaitOptions,
): Promise<NonNullable<Value>> {
  const giveUp = performance.now() + options.timeoutMs;
  while (true) {
    const value = await look();
    if (value) return value;
    if (performance.now() > giveUp) {
      throw new Error(`Waited ${options.timeoutMs} ms in vain for ${options.what()}`);
    }
    await pause(options.everyMs ?? 25);
  }
}

/** So often it is measured at most how quick something is. */
const ATTEMPTS = 5;

/**
 * Measures until it takes less than `limitMs` once: a machine that is busy with other things delays
 * some attempts, what is slow by itself delays all. `measure` returns milliseconds; throws with all
 * of them when none was quick.
 */
export async function quickOnce(
  limitMs: number,
  measure: () => number | Promise<number>,
): Promise<void> {
  const took: number[] = [];
  while (took.length < ATTEMPTS) {
    const milliseconds = await measure();
    if (milliseconds < limitMs) return;
    took.push(milliseconds);
  }
  throw new Error(`Wanted less than ${limitMs} ms at least once, found ${took.map(Math.round)} ms`);
}

/**
 * Does work that waits for nothing, and fails if it takes more of a processor than this: the time
 * of this thread alone, which other work on the machine does not prolong.
 */
export function costsAtMost(limitMs: number, work: () => void): void {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage();
  const took = (user + system - before.user - before.system) / 1000;
  if (took > limitMs) throw new Error(`Wanted at most ${limitMs} ms of a processor, found ${took}`);
}

/** Waits for a time, in milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
