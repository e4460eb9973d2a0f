/**
 * Calls of the C library that wait, on the runtime's pool of threads: the one place where the pool
 * is used.
 *
 * The problem: Deno 2.9 has 32 threads for all calls that wait, and takes them in order; a call
 * that hangs (a name whose server is silent, a file system that is gone) keeps its thread, and with
 * 32 of them no socket is waited on any more. And the runtime takes the address of a buffer but
 * does not hold the buffer: once the caller's variables are dead it may be collected while the
 * kernel still writes into it.
 *
 * The idea: each kind of work has a number of threads that it cannot exceed, and waits in its own
 * line for one of them; the numbers add up to less than the pool. Buffers are held here until the
 * call has returned.
 *
 * | work  | calls                  | threads | how long a call can take                           |
 * | ----- | ---------------------- | ------- | -------------------------------------------------- |
 * | wait  | epoll_wait             | 2       | until a deadline of at most 30 s, or `Poller.wake` |
 * | serve | recvmmsg, usleep       | 12      | a second at most, by SO_RCVTIMEO                   |
 * | names | getaddrinfo            | 8       | as the resolver is set, often 10 to 40 s           |
 * | files | open, read, fsync, ... | 3       | without limit if a file system hangs               |
 * | log   | write, poll, usleep    | 1       | without limit if nothing reads standard error      |
 *
 * Listeners beyond the threads for `serve` share one epoll_wait.
 *
 * That makes 26 of 32. The other six are the runtime's: it loads modules on the pool, which happens
 * at the start alone; its timers, signals, TCP sockets and writes to standard streams do without,
 * and nothing here uses its files, its resolver or its asynchronous cryptography. Limits: `errno`
 * of a call in the background belongs to the other thread and is lost, see `callForResult`.
 *
 * @module
 */
import { ERRNO } from "./errno.ts";
import { LIBC_SYMBOLS } from "./libc_symbols.ts";
import { type AnyCall, lastErrno, libc, standIn } from "./libc.ts";

/**
 * How many calls of the runtime's pool run at once; measured with Deno 2.9.6, whatever the number
 * of processors is.
 */
export const POOL_THREADS = 32;

/** The kinds of work, and how many threads each may hold. */
export const THREADS: Readonly<Record<BackgroundWork, number>> = {
  wait: 2,
  serve: 12,
  names: 8,
  files: 3,
  log: 1,
};

/** A kind of work that waits. */
export type BackgroundWork = "wait" | "serve" | "names" | "files" | "log";

const CALLS = {
  epoll_wait: { ...LIBC_SYMBOLS.epoll_wait, nonblocking: true },
  recvmmsg: { ...LIBC_SYMBOLS.recvmmsg, nonblocking: true },
  usleep: { ...LIBC_SYMBOLS.usleep, nonblocking: true },
  getaddrinfo: { ...LIBC_SYMBOLS.getaddrinfo, nonblocking: true },
  poll: { ...LIBC_SYMBOLS.poll, nonblocking: true },
  open: { ...LIBC_SYMBOLS.open, nonblocking: true },
  close: { ...LIBC_SYMBOLS.close, nonblocking: true },
  pread: { ...LIBC_SYMBOLS.pread, nonblocking: true },
  pwrite: { ...LIBC_SYMBOLS.pwrite, nonblocking: true },
  ftruncate: { ...LIBC_SYMBOLS.ftruncate, nonblocking: true },
  write: { ...LIBC_SYMBOLS.write, nonblocking: true },
  fsync: { ...LIBC_SYMBOLS.fsync, nonblocking: true },
  fchmod: { ...LIBC_SYMBOLS.fchmod, nonblocking: true },
  rename: { ...LIBC_SYMBOLS.rename, nonblocking: true },
  unlink: { ...LIBC_SYMBOLS.unlink, nonblocking: true },
  readlink: { ...LIBC_SYMBOLS.readlink, nonblocking: true },
  mkdir: { ...LIBC_SYMBOLS.mkdir, nonblocking: true },
  statx: { ...LIBC_SYMBOLS.statx, nonblocking: true },
} as const;

type Symbols = Deno.DynamicLibrary<typeof CALLS>["symbols"];

/** The names of the calls that can be made in the background. */
export type BackgroundCall = keyof Symbols;

/** The arguments of such a call. */
export type BackgroundArguments<Name extends BackgroundCall> = Parameters<Symbols[Name]>;

interface Line {
  running: number;
  readonly waiting: (() => void)[];
}

let library: Symbols | undefined;
const lines: Record<BackgroundWork, Line> = {
  wait: { running: 0, waiting: [] },
  serve: { running: 0, waiting: [] },
  names: { running: 0, waiting: [] },
  files: { running: 0, waiting: [] },
  log: { running: 0, waiting: [] },
};
/**
 * What calls under way were given, so that no buffer is collected before the kernel is done with
 * it.
 */
const held = new Set<unknown>();

/**
 * Makes a call on the pool, when one of the threads for its work is free, and returns what it
 * returned. `args` and `keep` (what the arguments point to by addresses) stay alive until then.
 */
export async function inBackground<Name extends BackgroundCall>(
  work: BackgroundWork,
  name: Name,
  args: BackgroundArguments<Name>,
  keep?: unknown,
): Promise<number> {
  library ??= Deno.dlopen("libc.so.6", CALLS).symbols;
  const line = lines[work];
  if (line.running < THREADS[work]) line.running++;
  else await new Promise<void>((resolve) => line.waiting.push(resolve));
  const hold = { args, keep };
  held.add(hold);
  try {
    const call = standIn(name, library[name] as AnyCall) as (...args: unknown[]) => Promise<number>;
    return await call(...args);
  } finally {
    held.delete(hold);
    // The thread goes straight to the next call, so that no other comes in between.
    const next = line.waiting.shift();
    if (next === undefined) line.running--;
    else next();
  }
}

/** Whether a call of this work would be made at once. */
export function hasFreeThread(work: BackgroundWork): boolean {
  return lines[work].running < THREADS[work];
}

/**
 * A call that failed within so many milliseconds was not kept waiting, and may be made again where
 * that would be felt.
 */
const QUICK_MILLISECONDS = 500;

/**
 * Makes a call on a file in the background and returns its result, or the negative number of its
 * error. The number is lost on the other thread, so a call that failed quickly is made once more in
 * the foreground, and counts if it succeeds then; one that took long is not, and failed with EIO.
 * Nor are `fsync`, which forgets what it could not write, and `close`, after which the descriptor
 * is gone whatever it said, and its number may be that of another file.
 */
export async function callForResult<Name extends Exclude<BackgroundCall, "usleep" | "poll">>(
  work: BackgroundWork,
  name: Name,
  args: BackgroundArguments<Name>,
): Promise<number> {
  const from = performance.now();
  const result = await inBackground(work, name, args);
  if (result >= 0) return result;
  const isOnce = name === "fsync" || name === "close";
  if (isOnce || performance.now() - from > QUICK_MILLISECONDS) return -ERRNO.EIO;
  return callHere(name, args);
}

/** Makes a call in the foreground and returns its result, or the negative number of its error. */
export function callHere<Name extends Exclude<BackgroundCall, "usleep" | "poll">>(
  name: Name,
  args: BackgroundArguments<Name>,
): number {
  const call = libc()[name] as (...args: unknown[]) => number;
  const result = call(...args);
  return result < 0 ? -lastErrno() : result;
}
