/**
 * Waiting for any number of descriptors with one thread of the pool.
 *
 * The problem: a listener that waits in its receive holds a thread, and a configuration may have
 * more listeners than there are threads for them. The idea: those beyond are waited for together,
 * by one epoll instance. Limits: it costs three more system calls for each wait than a thread of
 * one's own.
 *
 * @module
 */
import { Poller } from "./poller.ts";

const waiting = new Map<number, () => void>();
let poller: Poller | undefined;

/**
 * Waits until there is something to read from a descriptor, or it fails or is shut down; false when
 * it cannot be waited for. One wait for each descriptor at a time.
 */
export async function waitShared(fd: number): Promise<boolean> {
  if (poller === undefined) {
    const opened = Poller.open();
    if (!opened.ok) return false;
    poller = opened.value;
  }
  if (!poller.add(fd).ok) return false;
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting.set(fd, resolve);
  if (waiting.size === 1) void watch(poller);
  await promise;
  return true;
}

/** Waits for as long as there are waits; then the instance is given back. */
async function watch(shared: Poller): Promise<void> {
  while (waiting.size > 0) {
    const ready = await shared.wait(undefined);
    for (const { fd } of ready.ok ? ready.value : []) {
      const wake = waiting.get(fd);
      if (wake === undefined) continue;
      shared.remove(fd);
      waiting.delete(fd);
      wake();
    }
  }
  if (poller === shared) poller = undefined;
  shared.close();
}
