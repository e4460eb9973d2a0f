/**
 * The system calls that the daemon, Deno's runtime, V8, the C library and OpenSSL make, with their
 * numbers.
 *
 * The idea: one list to audit; what is not in it is refused by the filter of `seccomp.ts`. Not in
 * it, for example: execve and fork (nothing is ever started), kill, ptrace, mount, bpf, modules,
 * keyrings, io_uring, user namespaces, clock_settime (the clock is set by clock_adjtime alone).
 * Limits: found by tracing the daemon's work on glibc 2.36, with the variants that other versions
 * use beside; a call that is missing here fails with EPERM where it is made.
 *
 * @module
 */
import { F_SETOWN, F_SETOWN_EX } from "../headers/file.ts";
import { CLONE_THREAD, FIOSETOWN, SIOCSPGRP, TIOCLINUX, TIOCSTI } from "../headers/process.ts";
import { AF_INET, AF_INET6, AF_NETLINK, AF_UNIX } from "../headers/socket.ts";

/**
 * The numbers of one system call: on x86_64, on aarch64; null where the processor does not have it.
 */
export type SystemCallNumbers = readonly [x86_64: number | null, aarch64: number | null];

/** The system calls that are allowed whatever their arguments are, by name. */
export const ALLOWED_SYSTEM_CALLS: Readonly<Record<string, SystemCallNumbers>> = {
  // Files
  read: [0, 63],
  write: [1, 64],
  readv: [19, 65],
  writev: [20, 66],
  pread64: [17, 67],
  pwrite64: [18, 68],
  preadv: [295, 69],
  pwritev: [296, 70],
  preadv2: [327, 286],
  pwritev2: [328, 287],
  close: [3, 57],
  close_range: [436, 436],
  lseek: [8, 62],
  openat: [257, 56],
  openat2: [437, 437],
  open: [2, null],
  newfstatat: [262, 79],
  fstat: [5, 80],
  stat: [4, null],
  lstat: [6, null],
  statx: [332, 291],
  readlink: [89, null],
  readlinkat: [267, 78],
  access: [21, null],
  faccessat: [269, 48],
  faccessat2: [439, 439],
  getdents64: [217, 61],
  getcwd: [79, 17],
  flock: [73, 32],
  fsync: [74, 82],
  fdatasync: [75, 83],
  ftruncate: [77, 46],
  fallocate: [285, 47],
  fadvise64: [221, 223],
  fchmod: [91, 52],
  fchown: [93, 55],
  rename: [82, null],
  renameat: [264, 38],
  renameat2: [316, 276],
  unlink: [87, null],
  unlinkat: [263, 35],
  mkdir: [83, null],
  mkdirat: [258, 34],
  umask: [95, 166],
  dup: [32, 23],
  dup2: [33, null],
  dup3: [292, 24],
  pipe2: [293, 59],
  sendfile: [40, 71],
  copy_file_range: [326, 285],
  // Memory
  mmap: [9, 222],
  munmap: [11, 215],
  mprotect: [10, 226],
  mremap: [25, 216],
  madvise: [28, 233],
  brk: [12, 214],
  mincore: [27, 232],
  msync: [26, 227],
  mlock: [149, 228],
  munlock: [150, 229],
  membarrier: [324, 283],
  memfd_create: [319, 279],
  pkey_alloc: [330, 289],
  pkey_free: [331, 290],
  pkey_mprotect: [329, 288],
  // Threads and scheduling
  futex: [202, 98],
  futex_waitv: [449, 449],
  set_robust_list: [273, 99],
  rseq: [334, 293],
  set_tid_address: [218, 96],
  exit: [60, 93],
  exit_group: [231, 94],
  gettid: [186, 178],
  getpid: [39, 172],
  getppid: [110, 173],
  getpgrp: [111, null],
  sched_yield: [24, 124],
  sched_getaffinity: [204, 123],
  sched_getparam: [143, 121],
  sched_getscheduler: [145, 120],
  sched_get_priority_max: [146, 125],
  sched_get_priority_min: [147, 126],
  getpriority: [140, 141],
  getcpu: [309, 168],
  arch_prctl: [158, null],
  prctl: [157, 167],
  // Children that others leave to process 1
  wait4: [61, 260],
  // Signals and timers
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  rt_sigsuspend: [130, 133],
  rt_sigtimedwait: [128, 137],
  rt_sigpending: [127, 136],
  sigaltstack: [131, 132],
  signalfd4: [289, 74],
  restart_syscall: [219, 128],
  pause: [34, null],
  alarm: [37, null],
  setitimer: [38, 103],
  getitimer: [36, 102],
  timer_create: [222, 107],
  timer_settime: [223, 110],
  timer_gettime: [224, 108],
  timer_delete: [226, 111],
  // Readiness
  epoll_create1: [291, 20],
  epoll_ctl: [233, 21],
  epoll_wait: [232, null],
  epoll_pwait: [281, 22],
  epoll_pwait2: [441, 441],
  eventfd2: [290, 19],
  poll: [7, null],
  ppoll: [271, 73],
  select: [23, null],
  pselect6: [270, 72],
  timerfd_create: [283, 85],
  timerfd_settime: [286, 86],
  timerfd_gettime: [287, 87],
  inotify_init1: [294, 26],
  inotify_add_watch: [254, 27],
  inotify_rm_watch: [255, 28],
  // Sockets (the call `socket` itself has a rule of its own)
  socketpair: [53, 199],
  bind: [49, 200],
  listen: [50, 201],
  connect: [42, 203],
  accept: [43, 202],
  accept4: [288, 242],
  getsockname: [51, 204],
  getpeername: [52, 205],
  setsockopt: [54, 208],
  getsockopt: [55, 209],
  shutdown: [48, 210],
  sendto: [44, 206],
  sendmsg: [46, 211],
  sendmmsg: [307, 269],
  recvfrom: [45, 207],
  recvmsg: [47, 212],
  recvmmsg: [299, 243],
  // Clocks
  clock_gettime: [228, 113],
  clock_getres: [229, 114],
  clock_nanosleep: [230, 115],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  gettimeofday: [96, 169],
  time: [201, null],
  times: [100, 153],
  nanosleep: [35, 101],
  // The process itself
  uname: [63, 160],
  sysinfo: [99, 179],
  getrandom: [318, 278],
  getrusage: [98, 165],
  getrlimit: [97, 163],
  setrlimit: [160, 164],
  getuid: [102, 174],
  geteuid: [107, 175],
  getgid: [104, 176],
  getegid: [108, 177],
  getgroups: [115, 158],
  getresuid: [118, 148],
  getresgid: [120, 150],
  capget: [125, 90],
  capset: [126, 91],
};

/**
 * How the value of one argument decides about a call: by its low 32 bits, which is all that the
 * kernel reads of it.
 */
export interface ArgumentRule {
  /** The numbers of the call. */
  readonly numbers: SystemCallNumbers;
  /** Which argument, from 0. */
  readonly argument: number;
  /**
   * Whether the call is allowed for these values alone, for all but these, or where one of the bits
   * is set.
   */
  readonly test: "one-of" | "none-of" | "any-bit";
  /** The values; "self" stands for the number of this process. */
  readonly values: readonly (number | "self")[];
}

const SELF = { argument: 0, test: "one-of", values: [0, "self"] } as const;

/** System calls that are allowed with some arguments only. */
export const RULED_SYSTEM_CALLS: Readonly<Record<string, ArgumentRule>> = {
  // Threads, no processes.
  clone: { numbers: [56, 220], argument: 0, test: "any-bit", values: [CLONE_THREAD] },
  // Unix, IPv4, IPv6 and netlink.
  socket: {
    numbers: [41, 198],
    argument: 0,
    test: "one-of",
    values: [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK],
  },
  // Nothing that reaches another process, which may be of the same user.
  tgkill: { numbers: [234, 131], argument: 0, test: "one-of", values: ["self"] },
  rt_tgsigqueueinfo: { numbers: [297, 240], argument: 0, test: "one-of", values: ["self"] },
  prlimit64: { numbers: [302, 261], ...SELF },
  sched_setaffinity: { numbers: [203, 122], ...SELF },
  sched_setscheduler: { numbers: [144, 119], ...SELF },
  setpriority: { numbers: [141, 140], argument: 1, test: "one-of", values: [0, "self"] },
  // F_SETOWN and F_SETOWN_EX have the kernel send signals.
  fcntl: { numbers: [72, 25], argument: 1, test: "none-of", values: [F_SETOWN, F_SETOWN_EX] },
  // TIOCSTI and TIOCLINUX type into a terminal; FIOSETOWN and SIOCSPGRP are F_SETOWN again.
  ioctl: {
    numbers: [16, 29],
    argument: 1,
    test: "none-of",
    values: [TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP],
  },
};

/** The call whose arguments no filter can see, and for which the C library has another. */
export const CLONE3_SYSTEM_CALL: SystemCallNumbers = [435, 435];

/** The call that installs a filter. */
export const SECCOMP_SYSTEM_CALL: SystemCallNumbers = [317, 277];
