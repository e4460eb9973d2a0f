/**
 * What the daemon needs to know of its own process and surroundings, without Deno's env and sys
 * permissions.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { failed, type OsError } from "../errno.ts";
import { readFile } from "../file/files.ts";
import { RLIM_INFINITY, RLIMIT, RLIMIT_NOFILE } from "../headers/process.ts";
import { libc } from "../libc.ts";
import { allocate, cString, readCString } from "../memory.ts";

/** The user and group that the process runs as. */
export interface UserIds {
  /** The real user. */
  readonly uid: number;
  /** The user whose rights count; 0 is root. */
  readonly effectiveUid: number;
  /** The real group. */
  readonly gid: number;
}

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

/** Returns the name of this machine. */
export function hostName(): Result<string, OsError> {
  const name = allocate(HOSTNAME_SIZE);
  if (libc().gethostname(name.bytes, BigInt(HOSTNAME_SIZE)) !== 0) {
    return failed({ call: "gethostname", what: "find the name of this machine" });
  }
  const end = name.bytes.indexOf(0);
  return ok(new TextDecoder().decode(name.bytes.subarray(0, end < 0 ? HOSTNAME_SIZE : end)));
}

/** Returns how many descriptors this process may have open; Infinity for no limit. */
export function openFilesLimit(): Result<number, OsError> {
  const limit = allocate(RLIMIT.sizeof);
  if (libc().getrlimit(RLIMIT_NOFILE, limit.bytes) !== 0) {
    return failed({ call: "getrlimit", what: "read the limit on open files" });
  }
  const soft = limit.view.getBigUint64(RLIMIT.rlim_cur, true);
  return ok(soft === RLIM_INFINITY ? Infinity : Number(soft));
}
