/**
 * Waiting in tests: for a condition, with a limit, instead of for a guessed time.
 *
 * @module
 */

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

/** Waits for a time, in milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
