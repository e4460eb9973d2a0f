/**
 * Structures and constants of the headers about processes: signals, limits, rights and their loss.
 *
 * The constants come from <sched.h>, <signal.h>, <asm/ioctls.h>, <asm/sockios.h>, <asm/unistd.h>,
 * <linux/audit.h>, <linux/capability.h>, <linux/filter.h>, <linux/landlock.h>, <linux/seccomp.h>,
 * <sys/prctl.h>, <sys/resource.h>, <sys/syscall.h>, <sys/wait.h>.
 *
 * @module
 */
import type { StructLayout } from "./struct_layout.ts";

/** A limit and how far it may be raised. */
export const RLIMIT = {
  type: "struct rlimit",
  header: "sys/resource.h",
  sizeof: 16,
  rlim_cur: 0,
  rlim_max: 8,
} as const satisfies StructLayout;

/** What happens at a signal, as the C library has it. */
export const SIGACTION = {
  type: "struct sigaction",
  header: "signal.h",
  sizeof: 152,
} as const satisfies StructLayout;

/** A set of signals, as the C library has it. */
export const SIGSET = {
  type: "sigset_t",
  header: "signal.h",
  sizeof: 128,
} as const satisfies StructLayout;

/** What happens at a signal, as the kernel has it (rt_sigaction(2)). */
export const KERNEL_SIGACTION = {
  type: "struct sigaction",
  header: "asm/signal.h",
  sizeof: 32,
  sa_handler: 0,
  sa_flags: 8,
  sa_restorer: 16,
  sa_mask: 24,
} as const satisfies StructLayout;

/** A set of signals, as the kernel has it. */
export const KERNEL_SIGSET = {
  type: "sigset_t",
  header: "asm/signal.h",
  sizeof: 8,
} as const satisfies StructLayout;

/** Whose capabilities capget(2) and capset(2) are about, and in which form. */
export const CAP_USER_HEADER = {
  type: "struct __user_cap_header_struct",
  header: "linux/capability.h",
  sizeof: 8,
  version: 0,
  pid: 4,
} as const satisfies StructLayout;

/** Capabilities, 32 of each set; two of these follow each other, the low half first. */
export const CAP_USER_DATA = {
  type: "struct __user_cap_data_struct",
  header: "linux/capability.h",
  sizeof: 12,
  effective: 0,
  permitted: 4,
  inheritable: 8,
} as const satisfies StructLayout;

/** One instruction of a filter. */
export const SOCK_FILTER = {
  type: "struct sock_filter",
  header: "linux/filter.h",
  sizeof: 8,
  code: 0,
  jt: 2,
  jf: 3,
  k: 4,
} as const satisfies StructLayout;

/** A filter: how many instructions, and where. */
export const SOCK_FPROG = {
  type: "struct sock_fprog",
  header: "linux/filter.h",
  sizeof: 16,
  len: 0,
  filter: 8,
} as const satisfies StructLayout;

/** What a filter sees of a system call; its arguments are eight octets each. */
export const SECCOMP_DATA = {
  type: "struct seccomp_data",
  header: "linux/seccomp.h",
  sizeof: 64,
  nr: 0,
  arch: 4,
  args: 16,
} as const satisfies StructLayout;

/** What a Landlock domain is to forbid. Older kernels know the beginning alone. */
export const LANDLOCK_RULESET_ATTR = {
  type: "struct landlock_ruleset_attr",
  header: "linux/landlock.h",
  since: "6.12",
  sizeof: 24,
  handled_access_fs: 0,
  handled_access_net: 8,
  scoped: 16,
} as const satisfies StructLayout;

/** What a Landlock domain allows below a directory. */
export const LANDLOCK_PATH_BENEATH_ATTR = {
  type: "struct landlock_path_beneath_attr",
  header: "linux/landlock.h",
  since: "5.13",
  sizeof: 12,
  allowed_access: 0,
  parent_fd: 8,
} as const satisfies StructLayout;

/** Add signals to those that are blocked. */
export const SIG_BLOCK = 0;
/** Take signals from those that are blocked. */
export const SIG_UNBLOCK = 1;
/** In place of a handler: ignore the signal. */
export const SIG_IGN = 1n;
/** The terminal is gone; for daemons: read the configuration again. */
export const SIGHUP = 1;
/** The user interrupts. */
export const SIGINT = 2;
/** The user quits. */
export const SIGQUIT = 3;
/** For the program's own use. */
export const SIGUSR1 = 10;
/** An end is asked for. */
export const SIGTERM = 15;
/** Do not wait if no child has ended. */
export const WNOHANG = 1;

/** The limit on open descriptors. */
export const RLIMIT_NOFILE = 7;
/** No limit. */
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/** Whether other processes of this user may look into this one. */
export const PR_SET_DUMPABLE = 4;
/** Keep the permitted capabilities over a change of the user. */
export const PR_SET_KEEPCAPS = 8;
/** Is a capability in the bounding set? */
export const PR_CAPBSET_READ = 23;
/** Take a capability out of the bounding set. */
export const PR_CAPBSET_DROP = 24;
/** No program that is started gets new rights. */
export const PR_SET_NO_NEW_PRIVS = 38;
/** Change the ambient set. */
export const PR_CAP_AMBIENT = 47;
/** Put a capability into the ambient set. */
export const PR_CAP_AMBIENT_RAISE = 2n;
/** Empty the ambient set. */
export const PR_CAP_AMBIENT_CLEAR_ALL = 4n;

/** The third form of the capability calls: two structures of 32 each. */
export const _LINUX_CAPABILITY_VERSION_3 = 0x2008_0522;
/** Pass by the permissions of files. */
export const CAP_DAC_OVERRIDE = 1;
/** Change the group. */
export const CAP_SETGID = 6;
/** Change the user. */
export const CAP_SETUID = 7;
/** Change the bounding set. */
export const CAP_SETPCAP = 8;
/** Bind ports below 1024. */
export const CAP_NET_BIND_SERVICE = 10;
/** Set the clock. */
export const CAP_SYS_TIME = 25;

/** Make a thread, not a process. */
export const CLONE_THREAD = 0x1_0000;
/** Type a character into a terminal. */
export const TIOCSTI = 0x5412;
/** Functions of the console, such as pasting. */
export const TIOCLINUX = 0x541c;
/** `F_SETOWN` for sockets. */
export const FIOSETOWN = 0x8901;
/** `F_SETOWN` for sockets, by its older name. */
export const SIOCSPGRP = 0x8902;

/** The number of rt_sigaction(2). */
export const SYS_rt_sigaction: bigint = Deno.build.arch === "aarch64" ? 134n : 13n;
/** The number of landlock_create_ruleset(2). */
export const SYS_landlock_create_ruleset = 444n;
/** The number of landlock_add_rule(2). */
export const SYS_landlock_add_rule = 445n;
/** The number of landlock_restrict_self(2). */
export const SYS_landlock_restrict_self = 446n;

/** Make no domain, and return the version of Landlock. */
export const LANDLOCK_CREATE_RULESET_VERSION = 1n;
/** The rule is about what is below a directory. */
export const LANDLOCK_RULE_PATH_BENEATH = 1n;
/** Making character devices. */
export const LANDLOCK_ACCESS_FS_MAKE_CHAR = 0x40n;
/** Making block devices. */
export const LANDLOCK_ACCESS_FS_MAKE_BLOCK = 0x800n;
/** Moving files from directory to directory. */
export const LANDLOCK_ACCESS_FS_REFER = 0x2000n;
/** Connecting to abstract Unix sockets outside of the domain. */
export const LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 0x1n;
/** Signals to processes outside of the domain. */
export const LANDLOCK_SCOPE_SIGNAL = 0x2n;

/** Install a filter on system calls. */
export const SECCOMP_SET_MODE_FILTER = 1n;
/** The filter counts for all threads. */
export const SECCOMP_FILTER_FLAG_TSYNC = 1n;
/** No slower memory access for the filtered threads. */
export const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4n;
/** Make the call. */
export const SECCOMP_RET_ALLOW = 0x7fff_0000;
/** Make no call, and fail with the number in the low half. */
export const SECCOMP_RET_ERRNO = 0x0005_0000;
/** End the process. */
export const SECCOMP_RET_KILL_PROCESS = 0x8000_0000;
/** The processor x86_64. */
export const AUDIT_ARCH_X86_64 = 0xc000_003e;
/** The processor aarch64. */
export const AUDIT_ARCH_AARCH64 = 0xc000_00b7;
/** Marks the numbers of calls in the 32-bit convention of x86_64, which has this bit alone. */
export const __X32_SYSCALL_BIT = 0x4000_0000;

/** Load into the accumulator. */
export const BPF_LD = 0x00;
/** A word of four octets. */
export const BPF_W = 0x00;
/** From a fixed offset. */
export const BPF_ABS = 0x20;
/** Jump. */
export const BPF_JMP = 0x05;
/** If equal. */
export const BPF_JEQ = 0x10;
/** If greater or equal. */
export const BPF_JGE = 0x30;
/** If any of the bits is set. */
export const BPF_JSET = 0x40;
/** The operand is in the instruction. */
export const BPF_K = 0x00;
/** Return. */
export const BPF_RET = 0x06;
