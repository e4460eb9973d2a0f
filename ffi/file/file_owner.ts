/**
 * What root prepares in the file system for the user that the daemon is to become: folders that are
 * made or handed over, and files that are opened in advance.
 *
 * The problem: a daemon that was root and becomes another user finds its files owned by root, in
 * folders where it cannot make any. The idea: a missing folder is made for the user; one that bears
 * the program's name is handed over with the files in it, as systemd does with a state directory; a
 * file anywhere else is handed over by itself and held open (`held_files.ts`). Nothing is done to
 * links, to files with several names, to what belongs to a third party, and where a link of a third
 * party leads. Limits: only for root, before the change of user.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { namesIn } from "./directory.ts";
import { failed, type OsError } from "../errno.ts";
import { fileStatus, makeDirectory, parentOf } from "./files.ts";
import { holdFile } from "./held_files.ts";
import {
  AT_EMPTY_PATH,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  STATX,
  STATX_BASIC_STATS,
} from "../headers/file.ts";
import { libc } from "../libc.ts";
import { allocate, cString } from "../memory.ts";
import { linkTarget, wayTo } from "./way.ts";
import type { UserRecord } from "../process/privileges.ts";

const FOLDER_MODE = 0o750;
/** Not below /etc: the folder of the configuration stays root's. */
const OWN_FOLDER = /^\/(var|run)\/(.*\/)?ntpsd\/*$/;

const status = allocate(STATX.sizeof);

/**
 * Sees to it that a folder exists and belongs to the user if it is the program's own: made just
 * now, or root's, called `ntpsd` and below /var or /run. Returns whether it is the user's now.
 */
export function prepareFolder(path: string, user: UserRecord): Result<boolean, OsError> {
  const found = fileStatus(path);
  if (!found.ok) return found;
  if (found.value === undefined) {
    const above = makeDirectory(parentOf(path));
    if (!above.ok) return above;
    const made = makeDirectory(path, FOLDER_MODE);
    if (!made.ok) return made;
    return handOver(path, { user, isFolder: true });
  }
  const isOwn = OWN_FOLDER.test(path) && [0, user.uid].includes(found.value.uid);
  return isOwn ? handOverFolder(path, user) : ok(found.value.uid === user.uid);
}

/**
 * Tells whether all links on the way to a place, and to where they lead, are root's: others could
 * lead root to a folder of which they may have nothing.
 */
export function isLedByRoot(path: string): boolean {
  return wayTo(path)?.every(({ linkOwner = 0 }) => linkOwner === 0) === true;
}

/** Hands a file over that root has left in a folder of the user. */
export function handOverFile(path: string, user: UserRecord): void {
  handOver(path, { user, isFolder: false });
}

/**
 * Makes a file if it is missing, hands it over, and holds it open for reading and writing; one that
 * belongs to a third party is left alone.
 */
export function prepareFile(
  path: string,
  { user, mode }: { readonly user: UserRecord; readonly mode: number },
): Result<void, OsError> {
  const what = `open ${path}`;
  const flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  const fd = libc().open(cString(path) ?? new Uint8Array(1), flags, mode);
  if (fd < 0) return failed({ call: "open", what });
  // In a folder that others write to it may be theirs, and is no place for secrets.
  if (makeUsers(fd, { user, isFolder: false })) holdFile({ path, fd, purpose: "write" });
  else libc().close(fd);
  return ok(undefined);
}

/**
 * Opens a file for reading and holds it; what cannot be opened is left for others to complain
 * about.
 */
export function holdForReading(path: string): void {
  const fd = libc().open(cString(path) ?? new Uint8Array(1), O_RDONLY | O_NONBLOCK, 0);
  if (fd >= 0) holdFile({ path, fd, purpose: "read" });
}

/**
 * Opens a folder and holds it, so that what is in it is reached whatever the folders above allow.
 */
export function holdFolder(path: string): void {
  const flags = O_RDONLY | O_DIRECTORY;
  const fd = libc().open(cString(path) ?? new Uint8Array(1), flags, 0);
  if (fd >= 0) holdFile({ path, fd, purpose: "folder" });
}

/** Tells whether this process may open a file or folder to read. */
export function mayRead(path: string): boolean {
  const flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
  const fd = libc().open(cString(path) ?? new Uint8Array(1), flags, 0);
  if (fd >= 0) libc().close(fd);
  return fd >= 0;
}

/**
 * Tells whether a user could read a file, going by owners and modes of it and of all folders on the
 * way; root's own rights do not count, nor do access lists.
 */
export function mayUserRead(
  path: string,
  { uid, groups }: { readonly uid: number; readonly groups: readonly number[] },
): boolean {
  if (uid === 0) return true;
  return wayTo(path)?.every(({ place, linkOwner }) => {
    if (linkOwner !== undefined) return true;
    const status = fileStatus(place);
    if (!status.ok || status.value === undefined) return false;
    const { kind, mode, uid: owner, gid } = status.value;
    const needed = kind === "directory" ? 0o1 : 0o4;
    const shift = owner === uid ? 6 : groups.includes(gid) ? 3 : 0;
    return (mode & (needed << shift)) !== 0;
  }) === true;
}

/**
 * Hands over the program's own folder with the files in it, if it is that also by the name that no
 * link gives it.
 */
function handOverFolder(path: string, user: UserRecord): Result<boolean, OsError> {
  const flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const fd = libc().open(cString(path) ?? new Uint8Array(1), flags, 0);
  if (fd < 0) return failed({ call: "open", what: `hand ${path} over` });
  const place = `/proc/self/fd/${fd}`;
  const isOwn = OWN_FOLDER.test(linkTarget(place) ?? "");
  if (isOwn) {
    for (const name of namesIn(place)) handOver(`${place}/${name}`, { user, isFolder: false });
  }
  const given = isOwn && makeUsers(fd, { user, isFolder: true });
  libc().close(fd);
  return ok(given);
}

function handOver(
  path: string,
  { user, isFolder }: { readonly user: UserRecord; readonly isFolder: boolean },
): Result<boolean, OsError> {
  const flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | (isFolder ? O_DIRECTORY : 0);
  const fd = libc().open(cString(path) ?? new Uint8Array(1), flags, 0);
  if (fd < 0) return failed({ call: "open", what: `hand ${path} over` });
  const given = makeUsers(fd, { user, isFolder });
  libc().close(fd);
  return ok(given);
}

/**
 * Gives an open file or folder to the user if it is root's and has no second name, by which a third
 * party could reach it. Returns whether it is the user's now.
 */
function makeUsers(
  fd: number,
  { user, isFolder }: { readonly user: UserRecord; readonly isFolder: boolean },
): boolean {
  const { view, bytes } = status;
  if (libc().statx(fd, new Uint8Array(1), AT_EMPTY_PATH, STATX_BASIC_STATS, bytes) !== 0) {
    return false;
  }
  const kind = view.getUint16(STATX.stx_mode, true) & S_IFMT;
  const fits = isFolder
    ? kind === S_IFDIR
    : kind === S_IFREG && view.getUint32(STATX.stx_nlink, true) === 1;
  const owner = view.getUint32(STATX.stx_uid, true);
  if (!fits || owner === user.uid) return fits;
  return owner === 0 && libc().fchown(fd, user.uid, user.gid) === 0;
}
