/**
 * Giving up rights: capabilities, the root user, and new rights through exec.
 *
 * The idea: the daemon keeps the one or two capabilities that it works with and nothing else. Changing the user goes
 * through the C library and so reaches every thread. Capabilities belong to a thread: the thread that calls (which makes
 * all system calls of ours, and starts the threads of the pool) keeps those that are named, and when the user changes all
 * other threads lose theirs by that. Limits: a daemon that stays root drops capabilities on this thread alone; the system
 * call filter (`seccomp.ts`) holds for all.
 *
 * @module
 */
import { ok, type Result } from "../src/base/result.ts";
import { ERRNO, failed, type OsError } from "./errno.ts";
import { lastErrno, libc } from "./libc.ts";
import { allocate, cString } from "./memory.ts";

/** The capabilities that ntpsd has a use for, by the names of the manual. */
export type Capability =
  | "CAP_SYS_TIME"
  | "CAP_NET_BIND_SERVICE"
  | "CAP_NET_ADMIN"
  | "CAP_SETUID"
  | "CAP_SETGID"
  | "CAP_DAC_OVERRIDE";

/** A user as the system's database has it. */
export interface UserRecord {
  /** The number of the user. */
  readonly uid: number;
  /** The number of the user's first group. */
  readonly gid: number;
}

const NUMBERS: Readonly<Record<Capability, number>> = {
  CAP_SYS_TIME: 25,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_SETUID: 7,
  CAP_SETGID: 6,
  CAP_DAC_OVERRIDE: 1,
};

const CAPABILITY_VERSION_3 = 0x2008_0522;
const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;
const GROUPS_MAX = 256;
const EFFECTIVE = 0;
const PERMITTED = 4;

/** Tells whether this thread may use a capability. */
export function hasCapability(capability: Capability): boolean {
  const sets = readSets();
  return sets.ok && (setAt(sets.value, EFFECTIVE) & bit(capability)) !== 0n;
}

/** Finds a user by name; undefined when there is none of that name. */
export function findUser(name: string): Result<UserRecord | undefined, OsError> {
  const key = cString(name);
  const what = `look up the user ${name}`;
  if (key === undefined) return failed({ call: "getpwnam", what, code: ERRNO.EINVAL });
  const record = libc().getpwnam(key);
  // A user that does not exist leaves whatever number the search for the database left; that is no error.
  if (record === null) return ok(undefined);
  const view = new Deno.UnsafePointerView(record);
  return ok({ uid: view.getUint32(16), gid: view.getUint32(20) });
}

/**
 * Becomes another user with its groups for good, keeping the named capabilities of those that this thread has. Needs root.
 * After a failure the process is to end: it may be half-way.
 */
export function becomeUser(
  name: string,
  keep: readonly Capability[],
): Result<void, OsError> {
  const user = findUser(name);
  if (!user.ok) return user;
  const what = `become the user ${name}`;
  if (user.value === undefined) {
    const hint = `Make the user (useradd --system ${name}) or change security.user`;
    return failed({ call: "getpwnam", what, code: ERRNO.ENOENT, hint });
  }
  const { uid, gid } = user.value;
  if (libc().prctl(PR_SET_KEEPCAPS, 1n, 0n, 0n, 0n) !== 0) return failed({ call: "prctl", what });
  const grouped = setGroupsOf(name, gid);
  if (!grouped.ok) return grouped;
  if (libc().setgid(gid) !== 0) return failed({ call: "setgid", what });
  if (libc().setuid(uid) !== 0) return failed({ call: "setuid", what });
  return keepCapabilities(keep);
}

/** Drops every capability of this thread that is not named; those named stay if it has them. */
export function keepCapabilities(keep: readonly Capability[]): Result<void, OsError> {
  const sets = readSets();
  if (!sets.ok) return sets;
  const kept = keep.reduce((mask, name) => mask | bit(name), 0n) & setAt(sets.value, PERMITTED);
  const data = allocate(24);
  for (const word of [0, 1]) {
    const half = Number((kept >> BigInt(32 * word)) & 0xffff_ffffn);
    data.view.setUint32(12 * word + EFFECTIVE, half, true);
    data.view.setUint32(12 * word + PERMITTED, half, true);
  }
  if (libc().capset(capabilityHead(), data.bytes) === 0) return ok(undefined);
  return failed({ call: "capset", what: "drop capabilities" });
}

/** Sees to it that no program that this thread may start gets new rights; cannot be undone. */
export function forbidNewPrivileges(): Result<void, OsError> {
  if (libc().prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) === 0) return ok(undefined);
  return failed({ call: "prctl", what: "forbid new privileges" });
}

function setGroupsOf(name: string, gid: number): Result<void, OsError> {
  const what = `take the groups of the user ${name}`;
  const groups = allocate(4 * GROUPS_MAX), count = allocate(4);
  count.view.setInt32(0, GROUPS_MAX, true);
  const key = cString(name) ?? new Uint8Array(1);
  if (libc().getgrouplist(key, gid, groups.bytes, count.bytes) < 0) {
    return failed({ call: "getgrouplist", what, code: ERRNO.EINVAL });
  }
  const size = BigInt(count.view.getInt32(0, true));
  return libc().setgroups(size, groups.bytes) === 0
    ? ok(undefined)
    : failed({ call: "setgroups", what });
}

/** Reads the three sets of this thread: two records of effective, permitted, inheritable. */
function readSets(): Result<DataView, OsError> {
  const data = allocate(24);
  if (libc().capget(capabilityHead(), data.bytes) === 0) return ok(data.view);
  return failed({ call: "capget", what: "read the capabilities", code: lastErrno() });
}

function capabilityHead(): Uint8Array<ArrayBuffer> {
  const head = allocate(8);
  head.view.setUint32(0, CAPABILITY_VERSION_3, true);
  return head.bytes;
}

function setAt(view: DataView, at: number): bigint {
  return BigInt(view.getUint32(at, true)) | (BigInt(view.getUint32(12 + at, true)) << 32n);
}

function bit(capability: Capability): bigint {
  return 1n << BigInt(NUMBERS[capability]);
}
