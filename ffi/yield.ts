/**
 * Letting everything else in this process run, for code that could go on without an end.
 *
 * The problem: the runtime looks for expired timers, ready sockets and calls that have come back
 * from the thread pool only when its main task has nothing to do; while that task is woken again
 * before it has fallen asleep, it looks once in some dozens of rounds. A wait on the thread pool
 * whose answer is already there (a receive on a flooded socket) wakes it just so, and then timers
 * come hundreds of milliseconds late. The idea: sleep on the thread pool for as short as the kernel
 * can, some 50 microseconds, which is longer than the main task takes to fall asleep. Limits: it
 * costs that time and two switches of threads.
 *
 * @module
 */
import { inBackground } from "./background.ts";

/** Waits until all else has had its turn, about a tenth of a millisecond. */
export async function yieldToEventLoop(): Promise<void> {
  await inBackground("serve", "usleep", [1]);
}
