/**
 * Giving up rights: the root user, capabilities, and new rights through exec.
 *
 * The idea: capabilities, the bounding set and no_new_privs belong to a thread, so `narrowThread`
 * is called on the main thread just before an exec (`exec_again.ts`), from which every thread of
 * the new program descends. What is to outlast the exec is raised in the ambient set; the bounding
 * set is emptied. Changing the user goes through the C library and reaches every thread, and takes
 * their capabilities; that is the way where an exec is not possible. Limits: without CAP_SETPCAP
 * the bounding set stays, which is of no use to a process that may get no new privileges.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { PASSWD } from "../headers/names.ts";
import {
  _LINUX_CAPABILITY_VERSION_3,
  CAP_DAC_OVERRIDE,
  CAP_NET_BIND_SERVICE,
  CAP_SETGID,
  CAP_SETPCAP,
  CAP_SETUID,
  CAP_SYS_TIME,
  CAP_USER_DATA,
  CAP_USER_HEADER,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_CAPBSET_READ,
  PR_SET_DUMPABLE,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
} from "../headers/process.ts";
import { lastErrno, libc } from "../libc.ts";
import { allocate, cString, type Memory, readCString } from "../memory.ts";

/** The capabilities that ntpsd has a use for, by the names of the manual. */
export type Capability =
  | "CAP_SYS_TIME"
  | "CAP_NET_BIND_SERVICE"
  | "CAP_SETUID"
  | "CAP_SETGID"
  | "CAP_SETPCAP"
  | "CAP_DAC_OVERRIDE";

/** A user as the system's database has it. */
export interface UserRecord {
  /** The name, for the groups and for people. */
  readonly name: string;
  /** The number of the user. */
  readonly uid: number;
  /** The number of the user's first group. */
  readonly gid: number;
}

/** The capabilities of this thread, one bit each. */
export interface CapabilitySets {
  /** Those that count now. */
  readonly effective: bigint;
  /** Those that may be made to count. */
  readonly permitted: bigint;
  /** Those that an exec may keep. */
  readonly inheritable: bigint;
}

/** What a thread is to keep. */
export interface NarrowOptions {
  /** The user to become; undefined to stay. */
  readonly user: UserRecord | undefined;
  /** What the program after the exec has, of what this thread has. */
  readonly keep: readonly Capability[];
}

const NUMBERS: Readonly<Record<Capability, number>> = {
  CAP_SYS_TIME,
  CAP_NET_BIND_SERVICE,
  CAP_SETUID,
  CAP_SETGID,
  CAP_SETPCAP,
  CAP_DAC_OVERRIDE,
};

const CAPABILITY_COUNT_MAX = 64;
const GROUPS_MAX = 256;

/** Tells whether this thread may use a capability. */
export function hasCapability(capability: Capability): boolean {
  const sets = capabilitySets();
  return sets.ok && (sets.value.effective & bit(capability)) !== 0n;
}

/** Returns the bits of capabilities. */
export function capabilityMask(names: readonly Capability[]): bigint {
  return names.reduce((mask, name) => mask | bit(name), 0n);
}

/** Reads the capabilities of this thread. */
export function capabilitySets(): Result<CapabilitySets, OsError> {
  const { bytes, view } = allocate(2 * CAP_USER_DATA.sizeof);
  if (libc().capget(capabilityHead(), bytes) !== 0) {
    return failed({ call: "capget", what: "read the capabilities", code: lastErrno() });
  }
  // Two records of effective, permitted, inheritable: the low and the high half.
  const set = (at: number) =>
    BigInt(view.getUint32(at, true)) |
    (BigInt(view.getUint32(CAP_USER_DATA.sizeof + at, true)) << 32n);
  return ok({
    effective: set(CAP_USER_DATA.effective),
    permitted: set(CAP_USER_DATA.permitted),
    inheritable: set(CAP_USER_DATA.inheritable),
  });
}

/** Finds a user by name; undefined when there is none of that name. */
export function findUser(name: string): Result<UserRecord | undefined, OsError> {
  const key = cString(name);
  const what = `look up the user ${name}`;
  if (key === undefined) return failed({ call: "getpwnam", what, code: ERRNO.EINVAL });
  const record = libc().getpwnam(key);
  // A user that does not exist leaves whatever number the search for the database left; that is no
  // error.
  if (record === null) return ok(undefined);
  const view = new Deno.UnsafePointerView(record);
  return ok({ name, uid: view.getUint32(PASSWD.pw_uid), gid: view.getUint32(PASSWD.pw_gid) });
}

/** Returns the numbers of all groups that a user is in. */
export function groupsOf({ name, gid }: UserRecord): Result<readonly number[], OsError> {
  const found = listGroups(name, gid);
  if (!found.ok) return found;
  const { groups, count } = found.value;
  return ok(Array.from({ length: count }, (_, i) => groups.view.getUint32(4 * i, true)));
}

/** Returns the name of a user, or the number where there is no name. */
export function userName(uid: number): string {
  const record = libc().getpwuid(uid);
  if (record === null) return `number ${uid}`;
  const name = new Deno.UnsafePointerView(record).getPointer(PASSWD.pw_name);
  return readCString(name) ?? `number ${uid}`;
}

/**
 * Makes this thread fit for an exec after which nothing is left but `keep`: changes the user,
 * empties the bounding set, forbids new privileges. Until then the thread keeps the right to exec a
 * file that the user may not reach. After a failure the process may be half-way.
 */
export function narrowThread({ user, keep }: NarrowOptions): Result<void, OsError> {
  const before = capabilitySets();
  if (!before.ok) return before;
  const { permitted } = before.value;
  const kept = capabilityMask(keep) & permitted;
  // First of all, because a capability outside the bounding set cannot be made inheritable.
  const inheritable = setCapabilities({ effective: permitted, permitted, inheritable: kept });
  if (!inheritable.ok) return inheritable;
  if ((permitted & bit("CAP_SETPCAP")) !== 0n) emptyBoundingSet();
  if (user !== undefined) {
    const changed = changeUser(user);
    if (!changed.ok) return changed;
  }
  const untilExec = kept | (bit("CAP_DAC_OVERRIDE") & permitted);
  const set = setCapabilities({
    effective: untilExec,
    permitted: untilExec,
    inheritable: kept,
  });
  if (!set.ok) return set;
  const raised = setAmbient(kept);
  return raised.ok ? forbidNewPrivileges() : raised;
}

/**
 * Becomes another user with its groups for good, keeping the named capabilities of those that this
 * thread has; all other threads lose theirs. Needs root. After a failure the process is to end: it
 * may be half-way.
 */
export function becomeUser(user: UserRecord, keep: readonly Capability[]): Result<void, OsError> {
  const changed = changeUser(user);
  return changed.ok ? keepCapabilities(keep) : changed;
}

/** Drops every capability of this thread that is not named; those named stay if it has them. */
export function keepCapabilities(keep: readonly Capability[]): Result<void, OsError> {
  const sets = capabilitySets();
  if (!sets.ok) return sets;
  const kept = capabilityMask(keep) & sets.value.permitted;
  return setCapabilities({ effective: kept, permitted: kept, inheritable: 0n });
}

/** Sees to it that no program that this thread may start gets new rights; cannot be undone. */
export function forbidNewPrivileges(): Result<void, OsError> {
  if (libc().prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) === 0) return ok(undefined);
  return failed({ call: "prctl", what: "forbid new privileges" });
}

/**
 * Sees to it that no other process of this user can trace this one or read its memory, and that a
 * crash writes no image of it to disk. An exec undoes it, and so may a change of the user.
 */
export function hideMemory(): Result<void, OsError> {
  if (libc().prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n) === 0) return ok(undefined);
  return failed({ call: "prctl", what: "hide the memory of this process" });
}

/** Changes the user of all threads; this one keeps its permitted capabilities. */
function changeUser({ name, uid, gid }: UserRecord): Result<void, OsError> {
  const what = `become the user ${name}`;
  if (libc().prctl(PR_SET_KEEPCAPS, 1n, 0n, 0n, 0n) !== 0) return failed({ call: "prctl", what });
  const grouped = setGroupsOf(name, gid);
  if (!grouped.ok) return grouped;
  if (libc().setgid(gid) !== 0) return failed({ call: "setgid", what });
  if (libc().setuid(uid) !== 0) return failed({ call: "setuid", what });
  return ok(undefined);
}

function listGroups(
  name: string,
  gid: number,
): Result<{ readonly groups: Memory; readonly count: number }, OsError> {
  const what = `take the groups of the user ${name}`;
  const groups = allocate(4 * GROUPS_MAX), count = allocate(4);
  count.view.setInt32(0, GROUPS_MAX, true);
  const key = cString(name) ?? new Uint8Array(1);
  if (libc().getgrouplist(key, gid, groups.bytes, count.bytes) < 0) {
    return failed({ call: "getgrouplist", what, code: ERRNO.EINVAL });
  }
  return ok({ groups, count: count.view.getInt32(0, true) });
}

function setGroupsOf(name: string, gid: number): Result<void, OsError> {
  const found = listGroups(name, gid);
  if (!found.ok) return found;
  const { groups, count } = found.value;
  return libc().setgroups(BigInt(count), groups.bytes) === 0
    ? ok(undefined)
    : failed({ call: "setgroups", what: `take the groups of the user ${name}` });
}

function emptyBoundingSet(): void {
  for (let number = 0n; number < CAPABILITY_COUNT_MAX; number++) {
    if (libc().prctl(PR_CAPBSET_READ, number, 0n, 0n, 0n) < 0) return;
    libc().prctl(PR_CAPBSET_DROP, number, 0n, 0n, 0n);
  }
}

function setAmbient(mask: bigint): Result<void, OsError> {
  libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0n, 0n, 0n);
  for (let number = 0n; number < CAPABILITY_COUNT_MAX; number++) {
    if ((mask & (1n << number)) === 0n) continue;
    if (libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0n, 0n) === 0) continue;
    return failed({ call: "prctl", what: "keep a capability over an exec" });
  }
  return ok(undefined);
}

function setCapabilities(sets: CapabilitySets): Result<void, OsError> {
  const { bytes, view } = allocate(2 * CAP_USER_DATA.sizeof);
  for (const name of ["effective", "permitted", "inheritable"] as const) {
    const at = CAP_USER_DATA[name];
    view.setUint32(at, Number(sets[name] & 0xffff_ffffn), true);
    view.setUint32(CAP_USER_DATA.sizeof + at, Number(sets[name] >> 32n), true);
  }
  if (libc().capset(capabilityHead(), bytes) === 0) return ok(undefined);
  return failed({ call: "capset", what: "drop capabilities" });
}

function capabilityHead(): Uint8Array<ArrayBuffer> {
  const head = allocate(CAP_USER_HEADER.sizeof);
  head.view.setUint32(CAP_USER_HEADER.version, _LINUX_CAPABILITY_VERSION_3, true);
  return head.bytes;
}

function bit(capability: Capability): bigint {
  return 1n << BigInt(NUMBERS[capability]);
}
