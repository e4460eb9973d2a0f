/**
 * Sets this thread, and whatever it execs, apart from the other processes of the machine
 * (Landlock).
 *
 * The problem: a process may trace others of its user, read and write their memory, and send them
 * signals, and the user of a daemon (`nobody`) is often that of others. The idea: a thread with a
 * Landlock domain can do none of that to a process outside of it, nor reach abstract Unix sockets;
 * and it can make no device. Nothing else is restricted, for files are the matter of the user, and
 * a rule about paths or ports would forbid what a later configuration needs. Limits: kernels
 * without Landlock (before 5.13, or not switched on) do without, and the scopes of signals and
 * sockets need 6.12; it binds the calling thread and its descendants.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { failed, type OsError } from "../errno.ts";
import { O_CLOEXEC, O_PATH } from "../headers/file.ts";
import {
  LANDLOCK_ACCESS_FS_MAKE_BLOCK,
  LANDLOCK_ACCESS_FS_MAKE_CHAR,
  LANDLOCK_ACCESS_FS_REFER,
  LANDLOCK_CREATE_RULESET_VERSION,
  LANDLOCK_PATH_BENEATH_ATTR,
  LANDLOCK_RULE_PATH_BENEATH,
  LANDLOCK_RULESET_ATTR,
  LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET,
  LANDLOCK_SCOPE_SIGNAL,
  SYS_landlock_add_rule,
  SYS_landlock_create_ruleset,
  SYS_landlock_restrict_self,
} from "../headers/process.ts";
import { libc } from "../libc.ts";
import { allocate, cString } from "../memory.ts";
import { environmentVariable } from "./process.ts";

const ABI_OF_REFER = 2;
const ABI_OF_NETWORK = 4;
const ABI_OF_SCOPES = 6;

/** Tells which version of Landlock the kernel has; 0 for none. */
export function landlockVersion(): number {
  const version = Number(
    libc().landlock_create_ruleset(
      SYS_landlock_create_ruleset,
      null,
      0n,
      LANDLOCK_CREATE_RULESET_VERSION,
    ),
  );
  return Math.max(0, version);
}

/**
 * Sets this thread apart; needs no_new_privs. Returns whether the kernel can do it. What it execs
 * is apart from its first instruction; it cannot be undone.
 */
export function setApart(): Result<boolean, OsError> {
  const version = landlockVersion();
  if (version === 0) return ok(false);
  const { view, bytes } = allocate(LANDLOCK_RULESET_ATTR.sizeof);
  const files = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    (version < ABI_OF_REFER ? 0n : LANDLOCK_ACCESS_FS_REFER);
  view.setBigUint64(LANDLOCK_RULESET_ATTR.handled_access_fs, files, true);
  // The manager of services may listen on such a socket for our word that we are ready.
  const needsAbstract = environmentVariable("NOTIFY_SOCKET")?.startsWith("@") === true;
  view.setBigUint64(
    LANDLOCK_RULESET_ATTR.scoped,
    LANDLOCK_SCOPE_SIGNAL | (needsAbstract ? 0n : LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET),
    true,
  );
  const size = BigInt(rulesetSize(version));
  const fd = Number(libc().landlock_create_ruleset(SYS_landlock_create_ruleset, bytes, size, 0n));
  const what = "set this process apart from others";
  if (fd < 0) return failed({ call: "landlock_create_ruleset", what });
  if (version >= ABI_OF_REFER) allowRenaming(fd);
  const result = libc().landlock_restrict_self(SYS_landlock_restrict_self, BigInt(fd), 0n);
  if (result !== 0n) {
    const failure = failed({ call: "landlock_restrict_self", what });
    libc().close(fd);
    return failure;
  }
  libc().close(fd);
  return ok(true);
}

/**
 * How much of the structure a version of Landlock knows: all that stands before the first field
 * that it lacks.
 */
function rulesetSize(version: number): number {
  if (version >= ABI_OF_SCOPES) return LANDLOCK_RULESET_ATTR.sizeof;
  if (version >= ABI_OF_NETWORK) return LANDLOCK_RULESET_ATTR.scoped;
  return LANDLOCK_RULESET_ATTR.handled_access_net;
}

/** Lets files be renamed from folder to folder, which every domain forbids unless it is told. */
function allowRenaming(ruleset: number): void {
  const root = libc().open(cString("/") ?? new Uint8Array(1), O_PATH | O_CLOEXEC, 0);
  const rule = allocate(LANDLOCK_PATH_BENEATH_ATTR.sizeof);
  rule.view.setBigUint64(LANDLOCK_PATH_BENEATH_ATTR.allowed_access, LANDLOCK_ACCESS_FS_REFER, true);
  rule.view.setInt32(LANDLOCK_PATH_BENEATH_ATTR.parent_fd, root, true);
  libc().landlock_add_rule(
    SYS_landlock_add_rule,
    BigInt(ruleset),
    LANDLOCK_RULE_PATH_BENEATH,
    rule.bytes,
    0n,
  );
  if (root >= 0) libc().close(root);
}
