/**
 * Sets this thread, and whatever it execs, apart from the other processes of the machine (Landlock).
 *
 * The problem: a process may trace others of its user, read and write their memory, and send them signals, and the user of a daemon
 * (`nobody`) is often that of others. The idea: a thread with a Landlock domain can do none of that to a process outside of it,
 * nor reach abstract Unix sockets; and it can make no device. Nothing else is restricted, for files are the matter of the user, and
 * a rule about paths or ports would forbid what a later configuration needs. Limits: kernels without Landlock (before 5.13, or not
 * switched on) do without, and the scopes of signals and sockets need 6.12; it binds the calling thread and its descendants.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { failed, type OsError } from "../errno.ts";
import { libc } from "../libc.ts";
import { allocate, cString } from "../memory.ts";
import { environmentVariable } from "./process.ts";

// The same on both processors.
const CREATE_RULESET = 444n;
const ADD_RULE = 445n;
const RESTRICT_SELF = 446n;
const ASK_VERSION = 1n;
const MAKE_CHARACTER_DEVICE = 1n << 6n;
const MAKE_BLOCK_DEVICE = 1n << 11n;
const SCOPE_ABSTRACT_SOCKET = 1n << 0n;
const SCOPE_SIGNAL = 1n << 1n;
const REFER = 1n << 13n;
const RULE_PATH_BENEATH = 1n;
const O_PATH_CLOEXEC = 0x200000 | 0x80000;
const ABI_OF_REFER = 2;
const ABI_OF_NETWORK = 4;
const ABI_OF_SCOPES = 6;

/** Tells which version of Landlock the kernel has; 0 for none. */
export function landlockVersion(): number {
  const version = Number(libc().landlock_create_ruleset(CREATE_RULESET, null, 0n, ASK_VERSION));
  return Math.max(0, version);
}

/**
 * Sets this thread apart; needs no_new_privs. Returns whether the kernel can do it. What it execs is apart from its first
 * instruction; it cannot be undone.
 */
export function setApart(): Result<boolean, OsError> {
  const version = landlockVersion();
  if (version === 0) return ok(false);
  const { view, bytes } = allocate(24);
  const files = MAKE_CHARACTER_DEVICE | MAKE_BLOCK_DEVICE | (version < ABI_OF_REFER ? 0n : REFER);
  view.setBigUint64(0, files, true);
  // The manager of services may listen on such a socket for our word that we are ready.
  const needsAbstract = environmentVariable("NOTIFY_SOCKET")?.startsWith("@") === true;
  view.setBigUint64(16, SCOPE_SIGNAL | (needsAbstract ? 0n : SCOPE_ABSTRACT_SOCKET), true);
  const size = version >= ABI_OF_SCOPES ? 24n : version >= ABI_OF_NETWORK ? 16n : 8n;
  const fd = Number(libc().landlock_create_ruleset(CREATE_RULESET, bytes, size, 0n));
  const what = "set this process apart from others";
  if (fd < 0) return failed({ call: "landlock_create_ruleset", what });
  if (version >= ABI_OF_REFER) allowRenaming(fd);
  const result = libc().landlock_restrict_self(RESTRICT_SELF, BigInt(fd), 0n);
  if (result !== 0n) {
    const failure = failed({ call: "landlock_restrict_self", what });
    libc().close(fd);
    return failure;
  }
  libc().close(fd);
  return ok(true);
}

/** Lets files be renamed from folder to folder, which every domain forbids unless it is told. */
function allowRenaming(ruleset: number): void {
  const root = libc().open(cString("/") ?? new Uint8Array(1), O_PATH_CLOEXEC, 0);
  const rule = allocate(16);
  rule.view.setBigUint64(0, REFER, true);
  rule.view.setInt32(8, root, true);
  libc().landlock_add_rule(ADD_RULE, BigInt(ruleset), RULE_PATH_BENEATH, rule.bytes, 0n);
  if (root >= 0) libc().close(root);
}
