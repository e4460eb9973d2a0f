/**
 * Which secret files of a configuration others than their owner can read or change, and which files
 * the user of the service cannot read.
 *
 * The rule: only the owner and, for reading, the group of the file; a group is how a certificate's
 * key is shared with ntpsd. Limits: only owners and permission bits are looked at, no access lists;
 * that others can enter the folders above a secret is the administrator's affair.
 *
 * @module
 */
import { isLedByRoot, mayUserRead } from "../../ffi/file/file_owner.ts";
import { fileStatus } from "../../ffi/file/files.ts";
import { lockFile } from "../../ffi/file/locked_file.ts";
import { findUser, groupsOf } from "../../ffi/process/privileges.ts";
import { userIds } from "../../ffi/process/process.ts";
import { err, type Result } from "../base/result.ts";
import type { UnreadableFile } from "../config/include.ts";
import type { NamedPath } from "../config/named_path.ts";

/** A secret that is open to others. */
export interface OpenSecret {
  /** The key of the configuration that names the file. */
  readonly key: string;
  /** A sentence with the file, what others can do with it, and what to do. */
  readonly message: string;
}

const NEW_SECRET = 0o600;
const GROUP_WRITES = 0o020;
const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;

/** Whom ntpsd becomes unless the configuration says otherwise. */
const DEFAULT_USER = "ntpsd";

/** Files that the user of the service cannot read. */
export interface ClosedFiles {
  /** The user. */
  readonly user: string;
  /** The files; none that are missing. */
  readonly paths: readonly string[];
}

/**
 * Returns which files the user of the service, `user` or the usual one, cannot read; undefined if
 * there is no such user, or this process is not root's and cannot know.
 */
export function closedToService(
  paths: readonly string[],
  user: string = DEFAULT_USER,
): ClosedFiles | undefined {
  const found = userIds().effectiveUid === 0 ? findUser(user) : undefined;
  if (found?.ok !== true || found.value === undefined) return undefined;
  const { value: record } = found;
  const groups = groupsOf(record);
  if (!groups.ok) return undefined;
  const reader = { uid: record.uid, groups: groups.value };
  return { user, paths: paths.filter((path) => isThere(path) && !mayUserRead(path, reader)) };
}

function isThere(path: string): boolean {
  const status = fileStatus(path);
  return status.ok && status.value !== undefined;
}

/**
 * Returns the secrets that are open to others, for a daemon that runs as `user`; files that are not
 * there or cannot be looked at are none.
 */
export function openSecrets(
  paths: readonly NamedPath[],
  user: string = DEFAULT_USER,
): readonly OpenSecret[] {
  return paths.filter(({ use }) => use.isSecret).flatMap(({ key, path, use }) => {
    // A file that others provide would be closed to ntpsd as one of its owner alone.
    const found = openness(path, user === "root" || use.kind !== "read" ? undefined : user);
    return found === undefined ? [] : [{ key, message: `${found.message}: ${found.remedy}` }];
  });
}

/** Tells what others can do with a secret file, and what to do, for a user who reads it if any. */
function openness(
  path: string,
  reader: string | undefined,
): { readonly message: string; readonly remedy: string } | undefined {
  const status = fileStatus(path);
  if (!status.ok || status.value?.kind !== "file") return undefined;
  const { mode } = status.value;
  const isWritable = (mode & (GROUP_WRITES | OTHERS_WRITE)) !== 0;
  const isReadable = (mode & OTHERS_READ) !== 0;
  if (!isWritable && !isReadable) return undefined;
  const can = isReadable ? isWritable ? "read and change" : "read" : "change";
  const bits = (mode & 0o777).toString(8).padStart(4, "0");
  const remedy = reader === undefined
    ? `chmod 0600 ${path}`
    : `chown root:${reader} ${path} && chmod 0640 ${path}`;
  return { message: `Others can ${can} ${path}, which is secret (mode ${bits})`, remedy };
}

/**
 * Locks a file to which a secret is added, and makes it if it is not there. One that is open to
 * others is refused, and to root one where a link of another user leads.
 *
 * @returns what ends the lock
 */
export function lockSecret(path: string): Result<() => void, UnreadableFile> {
  if (userIds().effectiveUid === 0 && !isLedByRoot(path)) {
    const message = `Cannot add to ${path}: a link on the way there belongs to another user`;
    return err({ name: "EPERM", message, hint: "name the place where it leads" });
  }
  // before and after: it may have been made, or opened to others, while the lock was waited for
  const refused = secretAt(path);
  if (refused !== undefined) return err(refused);
  const locked = lockFile(path, NEW_SECRET);
  const opened = locked.ok ? secretAt(path) : undefined;
  if (!locked.ok || opened === undefined) return locked;
  locked.value();
  return err(opened);
}

/** Says why no secret may be added to a file; undefined if it may. */
function secretAt(path: string): UnreadableFile | undefined {
  const open = openness(path, undefined);
  if (open !== undefined) return { name: "EPERM", message: open.message, hint: open.remedy };
  const status = fileStatus(path);
  const owner = status.ok ? status.value?.uid : undefined;
  if (owner === undefined || isOwn(owner)) return undefined;
  return {
    name: "EPERM",
    message: `${path} is secret, and belongs to another user (${owner})`,
    hint: `chown root ${path}`,
  };
}

/** Whether a user is this one, root, or that of the service. */
function isOwn(uid: number): boolean {
  if (uid === 0 || uid === userIds().effectiveUid) return true;
  const service = findUser(DEFAULT_USER);
  return service.ok && service.value?.uid === uid;
}
