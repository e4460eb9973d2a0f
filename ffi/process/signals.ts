/**
 * What the runtime cannot do about signals and children.
 *
 * @module
 */
import { libc } from "../libc.ts";
import { processId } from "./process.ts";

const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
/** Those that a daemon acts on; the numbers are the same on both processors. */
const NUMBERS: Partial<Record<Deno.Signal, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGUSR1: 10,
  SIGTERM: 15,
};
const SIG_IGN = 1n;
/** glibc keeps the first two real-time signals for itself; the second it handles, the first it does not until a thread is cancelled. */
const CANCEL = 32;
const REAL_TIME_FIRST = 34;
const REAL_TIME_LAST = 64;
const RT_SIGACTION = Deno.build.arch === "aarch64" ? 134n : 13n;
/** What the kernel takes for a set of signals, in octets. */
const SET_LENGTH = 8n;
const WNOHANG = 1;
/** sizeof(struct sigaction) with glibc on both processors. */
const SIGACTION_LENGTH = 152;

/** Lets signals in that whoever started the process had blocked; those that came meanwhile come now. */
export function unblockSignals(): void {
  const all = new Uint8Array(128).fill(0xff);
  libc().pthread_sigmask(SIG_UNBLOCK, all, null);
}

/**
 * Blocks signals in this thread, and sends it those that are named, which wait then: for a moment in which nobody could handle
 * them, such as the start of another program in the place of this one, which inherits both.
 */
export function blockSignals(signals: readonly Deno.Signal[]): void {
  const all = new Uint8Array(128).fill(0xff);
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
    const old = new Uint8Array(SIGACTION_LENGTH);
    // all zero: the default, no flags
    const byDefault = new Uint8Array(SIGACTION_LENGTH);
    if (number === undefined || libc().sigaction(number, byDefault, old) !== 0) continue;
    before.set(number, old);
  }
  return before;
}

/** Brings back what `endBySignals` has taken away. */
export function restoreActions(actions: SignalActions): void {
  for (const [number, action] of actions) libc().sigaction(number, action, null);
}

/** Ignores the real-time signals, for which the runtime has no names and each of which would end the process. */
export function ignoreRealTimeSignals(): void {
  for (let signal = REAL_TIME_FIRST; signal <= REAL_TIME_LAST; signal++) {
    libc().signal(signal, SIG_IGN);
  }
  // The C library refuses this one, so the kernel is asked. Handler, flags, restorer, mask.
  const action = new BigUint64Array([SIG_IGN, 0n, 0n, 0n]);
  libc().rt_sigaction(RT_SIGACTION, BigInt(CANCEL), action, null, SET_LENGTH);
}

/** Whether this is process 1 of a container, to which falls what others leave behind. */
export function isFirstProcess(): boolean {
  return processId() === 1;
}

/** Takes the exit status of all children that have ended, so that none of them stays as a zombie. */
export function reapChildren(): void {
  while (libc().waitpid(-1, null, WNOHANG) > 0);
}
