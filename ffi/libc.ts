/**
 * The C library, opened once, at first use: every function of it that ntpsd calls is declared here and nowhere else.
 *
 * The idea: one table of signatures to audit; those that run on the thread pool are in `background.ts`. Limits: glibc on Linux, x86_64 and aarch64, where integer arguments of variadic functions
 * (open, ioctl, prctl, syscall) travel like those of ordinary ones. Lengths that the kernel returns are declared as 32-bit
 * integers, because no buffer here is longer than 2^31 - 1 octets.
 *
 * @module
 */

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  // Time
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  clock_adjtime: { parameters: ["i32", "buffer"], result: "i32" },
  timerfd_create: { parameters: ["i32", "i32"], result: "i32" },
  timerfd_settime: { parameters: ["i32", "i32", "buffer", "buffer"], result: "i32" },
  // Sockets
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "buffer"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  // Readiness
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  // Names and interfaces
  getaddrinfo: { parameters: ["buffer", "buffer", "buffer", "buffer"], result: "i32" },
  freeaddrinfo: { parameters: ["pointer"], result: "void" },
  gai_strerror: { parameters: ["i32"], result: "pointer" },
  getifaddrs: { parameters: ["buffer"], result: "i32" },
  freeifaddrs: { parameters: ["pointer"], result: "void" },
  // Files
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "u64"], result: "i32" },
  fsync: { parameters: ["i32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  rename: { parameters: ["buffer", "buffer"], result: "i32" },
  unlink: { parameters: ["buffer"], result: "i32" },
  mkdir: { parameters: ["buffer", "u32"], result: "i32" },
  access: { parameters: ["buffer", "i32"], result: "i32" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  opendir: { parameters: ["buffer"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // The process
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  raise: { parameters: ["i32"], result: "i32" },
  signal: { parameters: ["i32", "u64"], result: "pointer" },
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  getenv: { parameters: ["buffer"], result: "pointer" },
  setenv: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  unsetenv: { parameters: ["buffer"], result: "i32" },
  execv: { parameters: ["buffer", "buffer"], result: "i32" },
  getpid: { parameters: [], result: "i32" },
  getuid: { parameters: [], result: "u32" },
  geteuid: { parameters: [], result: "u32" },
  getgid: { parameters: [], result: "u32" },
  isatty: { parameters: ["i32"], result: "i32" },
  gethostname: { parameters: ["buffer", "usize"], result: "i32" },
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  getpwnam: { parameters: ["buffer"], result: "pointer" },
  getpwuid: { parameters: ["u32"], result: "pointer" },
  getgrouplist: { parameters: ["buffer", "u32", "buffer", "buffer"], result: "i32" },
  setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  setgid: { parameters: ["u32"], result: "i32" },
  setuid: { parameters: ["u32"], result: "i32" },
  capget: { parameters: ["buffer", "buffer"], result: "i32" },
  capset: { parameters: ["buffer", "buffer"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  syscall: { parameters: ["i64", "u64", "u64", "buffer"], result: "i64" },
  // The C library has no functions for these; the first argument is the number of the call.
  landlock_create_ruleset: {
    name: "syscall",
    parameters: ["i64", "buffer", "u64", "u64"],
    result: "i64",
  },
  landlock_add_rule: {
    name: "syscall",
    parameters: ["i64", "i64", "i64", "buffer", "u64"],
    result: "i64",
  },
  rt_sigaction: {
    name: "syscall",
    parameters: ["i64", "i64", "buffer", "buffer", "u64"],
    result: "i64",
  },
  landlock_restrict_self: { name: "syscall", parameters: ["i64", "i64", "u64"], result: "i64" },
} as const;

/** The functions of the C library that ntpsd uses, by their own names. */
export type LibC = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let library: { readonly symbols: LibC; readonly errno: Deno.UnsafePointerView } | undefined;
let replaced: StandIns | undefined;

/** Returns the C library, which is opened at its first use, so that nothing happens at import, and never closed. */
export function libc(): LibC {
  library ??= openLibrary();
  return library.symbols;
}

/**
 * Returns `errno` of this thread. To be called in the very next statement after the call that failed, before anything
 * else can run; it makes no call itself but reads the one place where this thread's number lies.
 */
export function lastErrno(): number {
  library ??= openLibrary();
  return library.errno.getInt32();
}

/** A function of any kind. */
export type AnyCall = (...args: unknown[]) => unknown;

/** What stands in for functions of the C library, for tests of what the system can refuse. */
export interface StandIns {
  /** Those of the foreground, by their names. */
  readonly here: Partial<Record<keyof LibC, AnyCall>>;
  /** Returns what stands in for a function of the thread pool; for itself when left out. */
  readonly background?: (name: string, real: AnyCall) => AnyCall;
}

/** Puts others in the place of some functions, for tests and nothing else; returns what undoes it. */
export function replaceCalls(standIns: StandIns): () => void {
  const real = library ??= openLibrary();
  library = { ...real, symbols: { ...real.symbols, ...standIns.here } as LibC };
  replaced = standIns;
  return () => {
    library = real;
    replaced = undefined;
  };
}

/** Returns what is to be called in the place of a function of the thread pool: itself, but for tests. */
export function standIn(name: string, real: AnyCall): AnyCall {
  return replaced?.background?.(name, real) ?? real;
}

function openLibrary(): NonNullable<typeof library> {
  const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);
  const pointer = symbols.__errno_location();
  if (pointer === null) throw new Error("The C library has no errno");
  return { symbols, errno: new Deno.UnsafePointerView(pointer) };
}
