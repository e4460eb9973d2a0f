/**
 * What the daemon needs to know of its own process and surroundings, without Deno's env and sys permissions.
 *
 * @module
 */
import { assert } from "../src/base/assert.ts";
import { ok, type Result } from "../src/base/result.ts";
import type { Seconds } from "../src/base/units.ts";
import { failed, type OsError } from "./errno.ts";
import { readFile } from "./files.ts";
import { libc } from "./libc.ts";
import { allocate, cString, readCString } from "./memory.ts";

/** What the process has used so far. */
export interface ResourceUsage {
  /** Processor time in the program itself, all threads together. */
  readonly userSeconds: Seconds;
  /** Processor time in the kernel for the program, all threads together. */
  readonly systemSeconds: Seconds;
  /** The most memory that was resident at one time, in octets. */
  readonly residentMaxBytes: number;
  /** How often the process gave up the processor to wait. */
  readonly voluntarySwitches: number;
  /** How often the processor was taken from it. */
  readonly involuntarySwitches: number;
}

/** A limit that the system sets for the process. */
export interface ResourceLimit {
  /** What holds now; Infinity for none. */
  readonly soft: number;
  /** How far the process may raise it; Infinity for none. */
  readonly hard: number;
}

/** The user and group that the process runs as. */
export interface UserIds {
  /** The real user. */
  readonly uid: number;
  /** The user whose rights count; 0 is root. */
  readonly effectiveUid: number;
  /** The real group. */
  readonly gid: number;
}

const RUSAGE_SELF = 0;
const RLIMIT_NOFILE = 7;
const UNLIMITED = 0xffff_ffff_ffff_ffffn;
const HOSTNAME_SIZE = 256;

/** Returns the value of one environment variable; undefined when it is not set. */
export function environmentVariable(name: string): string | undefined {
  const key = cString(name);
  assert(key !== undefined, "The name of a variable has no zero octet");
  return readCString(libc().getenv(key));
}

/** Returns the number of this process. */
export function processId(): number {
  return libc().getpid();
}

/** Returns the user and group of this process. */
export function userIds(): UserIds {
  return { uid: libc().getuid(), effectiveUid: libc().geteuid(), gid: libc().getgid() };
}

/** Returns the first port that needs no privilege (`net.ipv4.ip_unprivileged_port_start`). */
export function unprivilegedPortStart(): number {
  const text = readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", 64);
  const port = text.ok ? Number(new TextDecoder().decode(text.value)) : NaN;
  return Number.isInteger(port) && port >= 0 ? port : 1024;
}

/** Tells whether a descriptor (0 input, 1 output, 2 errors) is a terminal. */
export function isTerminal(fd: 0 | 1 | 2): boolean {
  return libc().isatty(fd) === 1;
}

/** Returns the name of this machine. */
export function hostName(): Result<string, OsError> {
  const name = allocate(HOSTNAME_SIZE);
  if (libc().gethostname(name.bytes, BigInt(HOSTNAME_SIZE)) !== 0) {
    return failed({ call: "gethostname", what: "find the name of this machine" });
  }
  const end = name.bytes.indexOf(0);
  return ok(new TextDecoder().decode(name.bytes.subarray(0, end < 0 ? HOSTNAME_SIZE : end)));
}

/** Returns what this process has used of processor and memory. */
export function resourceUsage(): ResourceUsage {
  const { bytes, view } = allocate(144);
  const result = libc().getrusage(RUSAGE_SELF, bytes);
  assert(result === 0, "A process can ask for its own usage");
  const long = (offset: number) => Number(view.getBigInt64(offset, true));
  return {
    userSeconds: long(0) + long(8) / 1e6,
    systemSeconds: long(16) + long(24) / 1e6,
    residentMaxBytes: long(32) * 1024,
    voluntarySwitches: long(128),
    involuntarySwitches: long(136),
  };
}

/** Returns the limit on open descriptors. */
export function openFilesLimit(): Result<ResourceLimit, OsError> {
  const limit = allocate(16);
  if (libc().getrlimit(RLIMIT_NOFILE, limit.bytes) !== 0) {
    return failed({ call: "getrlimit", what: "read the limit on open files" });
  }
  const read = (offset: number) => {
    const value = limit.view.getBigUint64(offset, true);
    return value === UNLIMITED ? Infinity : Number(value);
  };
  return ok({ soft: read(0), hard: read(8) });
}

/** Raises the limit on open descriptors to `wanted`, or as far as the hard limit allows, and returns what holds then. */
export function raiseOpenFilesLimit(wanted: number): Result<ResourceLimit, OsError> {
  assert(Number.isInteger(wanted) && wanted > 0, "A limit on open files is a positive integer");
  const before = openFilesLimit();
  if (!before.ok || before.value.soft >= wanted) return before;
  const soft = Math.min(wanted, before.value.hard);
  const limit = allocate(16);
  limit.view.setBigUint64(0, BigInt(soft), true);
  const { hard } = before.value;
  limit.view.setBigUint64(8, hard === Infinity ? UNLIMITED : BigInt(hard), true);
  if (libc().setrlimit(RLIMIT_NOFILE, limit.bytes) !== 0) {
    return failed({ call: "setrlimit", what: `raise the limit on open files to ${soft}` });
  }
  return ok({ soft, hard });
}
