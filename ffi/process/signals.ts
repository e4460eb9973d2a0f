/**
 * What the runtime cannot do about signals and children.
 *
 * @module
 */
import {
  KERNEL_SIGACTION,
  KERNEL_SIGSET,
  SIG_BLOCK,
  SIG_IGN,
  SIG_UNBLOCK,
  SIGACTION,
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGSET,
  SIGTERM,
  SIGUSR1,
  SYS_rt_sigaction,
  WNOHANG,
} from "../headers/process.ts";
import { libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import { processId } from "./process.ts";

/** Those that a daemon acts on. */
const NUMBERS: Partial<Record<Deno.Signal, number>> = {
  SIGHUP,
  SIGINT,
  SIGQUIT,
  SIGUSR1,
  SIGTERM,
};
/**
 * glibc keeps the first two real-time signals for itself; the second it handles, the first it does
 * not until a thread is cancelled.
 */
const CANCEL = 32;
const REAL_TIME_FIRST = 34;
const REAL_TIME_LAST = 64;

/**
 * Lets signals in that were blocked when the process was started; those that came meanwhile come
 * now.
 */
export function unblockSignals(): void {
  const all = new Uint8Array(SIGSET.sizeof).fill(0xff);
  libc().pthread_sigmask(SIG_UNBLOCK, all, null);
}

/**
 * Blocks signals in this thread, and sends it those that are named, which wait then: for a moment
 * in which nothing could handle them, such as the start of another program in the place of this
 * one, which inherits both.
 */
export function blockSignals(signals: readonly Deno.Signal[]): void {
  const all = new Uint8Array(SIGSET.sizeof).fill(0xff);
  libc().pthread_sigmask(SIG_BLOCK, all, null);
  for (const signal of signals) libc().raise(NUMBERS[signal] ?? 0);
}

/** What a process does at a signal, as the kernel keeps it; opaque. */
export type SignalActions = ReadonlyMap<number, Uint8Array<ArrayBuffer>>;

/** Lets signals end the process at once, whatever was to be done at them; returns what that was. */
export function endBySignals(signals: readonly Deno.Signal[]): SignalActions {
  const before = new Map<number, Uint8Array<ArrayBuffer>>();
  for (const signal of signals) {
    const number = NUMBERS[signal];
    const old = new Uint8Array(SIGACTION.sizeof);
    // all zero: the default, no flags
    const byDefault = new Uint8Array(SIGACTION.sizeof);
    if (number === undefined || libc().sigaction(number, byDefault, old) !== 0) continue;
    before.set(number, old);
  }
  return before;
}

/** Brings back what `endBySignals` has taken away. */
export function restoreActions(actions: SignalActions): void {
  for (const [number, action] of actions) libc().sigaction(number, action, null);
}

/**
 * Ignores the real-time signals, for which the runtime has no names and each of which would end the
 * process.
 */
export function ignoreRealTimeSignals(): void {
  for (let signal = REAL_TIME_FIRST; signal <= REAL_TIME_LAST; signal++) {
    libc().signal(signal, SIG_IGN);
  }
  // The C library refuses this one, so the kernel is asked.
  const action = allocate(KERNEL_SIGACTION.sizeof);
  action.view.setBigUint64(KERNEL_SIGACTION.sa_handler, SIG_IGN, true);
  const setSize = BigInt(KERNEL_SIGSET.sizeof);
  libc().rt_sigaction(SYS_rt_sigaction, BigInt(CANCEL), action.bytes, null, setSize);
}

/** Whether this is process 1 of a container, to which falls what others leave behind. */
export function isFirstProcess(): boolean {
  return processId() === 1;
}

/**
 * Takes the exit status of all children that have ended, so that none of them stays as a zombie.
 */
export function reapChildren(): void {
  while (libc().waitpid(-1, null, WNOHANG) > 0);
}
