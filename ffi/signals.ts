/**
 * What the runtime cannot do about signals and children.
 *
 * @module
 */
import { libc } from "./libc.ts";
import { processId } from "./process.ts";

const SIG_UNBLOCK = 1;
const SIG_IGN = 1n;
/** glibc keeps the first two real-time signals for itself. */
const REAL_TIME_FIRST = 34;
const REAL_TIME_LAST = 64;
const WNOHANG = 1;

/** Lets signals in that whoever started the process had blocked; those that came meanwhile come now. */
export function unblockSignals(): void {
  const all = new Uint8Array(128).fill(0xff);
  libc().pthread_sigmask(SIG_UNBLOCK, all, null);
}

/** Ignores the real-time signals, for which the runtime has no names and each of which would end the process. */
export function ignoreRealTimeSignals(): void {
  for (let signal = REAL_TIME_FIRST; signal <= REAL_TIME_LAST; signal++) {
    libc().signal(signal, SIG_IGN);
  }
}

/** Whether this is process 1 of a container, to which falls what others leave behind. */
export function isFirstProcess(): boolean {
  return processId() === 1;
}

/** Takes the exit status of all children that have ended, so that none of them stays as a zombie. */
export function reapChildren(): void {
  while (libc().waitpid(-1, null, WNOHANG) > 0);
}
