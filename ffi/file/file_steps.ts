/**
 * What is done with files, step by step: each step is one call of the C library, and the caller
 * decides where it is made.
 *
 * The problem: the same work is wanted in the foreground (before anything is served) and in the
 * background (a file system may hang). The idea: generators that yield calls and are given results,
 * a negative number being that of an error; `runHere` makes the calls at once, `runInBackground` on
 * the thread pool. Limits: nothing but regular files is read or written; a pipe or a device where a
 * file is wanted is refused, and opening it does not wait.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { NANOSECONDS_PER_SECOND } from "../../src/base/units.ts";
import { type BackgroundArguments, callForResult, callHere } from "../background.ts";
import { ERRNO, failed, type OsError, osError } from "../errno.ts";
import { type HeldFile, heldFile, throughHeldFolder } from "./held_files.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_NONBLOCK,
  PATH_MAX,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  STATX,
  STATX_BASIC_STATS,
  STATX_TIMESTAMP,
} from "../headers/file.ts";
import { libc } from "../libc.ts";
import { allocate, cString, type Memory } from "../memory.ts";

type StepName =
  | "open"
  | "close"
  | "pread"
  | "pwrite"
  | "ftruncate"
  | "fsync"
  | "fchmod"
  | "rename"
  | "unlink"
  | "readlink"
  | "mkdir"
  | "statx";

/** One call: its name and its arguments. */
export type FileStep = {
  readonly [Name in StepName]: readonly [name: Name, ...args: BackgroundArguments<Name>];
}[StepName];

/** Work on files that yields calls and is given their results. */
export type FileSteps<Value> = Generator<FileStep, Value, number>;

/** What a file is like. */
export interface FileStatus {
  /** Its kind. */
  readonly kind: "file" | "directory" | "other";
  /** The permission bits, such as 0o600. */
  readonly mode: number;
  /** The owner's number. */
  readonly uid: number;
  /** The group's number. */
  readonly gid: number;
  /** The length in octets. */
  readonly size: number;
  /** When the content last changed, in nanoseconds since 1970. */
  readonly modified: bigint;
  /** The file's number, to see that a path now leads to another file. */
  readonly inode: bigint;
}

/** Makes all calls at once, one after the other. */
export function runHere<Value>(steps: FileSteps<Value>): Value {
  let step = steps.next();
  while (step.done !== true) {
    const [name, ...args] = step.value;
    step = steps.next(callHere(name, args));
  }
  return step.value;
}

/** Makes all calls on the thread pool, one after the other. */
export async function runInBackground<Value>(steps: FileSteps<Value>): Promise<Value> {
  let step = steps.next();
  while (step.done !== true) {
    const [name, ...args] = step.value;
    step = steps.next(await callForResult("files", name, args));
  }
  return step.value;
}

const READ_STEP = 65_536;
const LINKS_MAX = 8;

/** Reads a whole file of at most `sizeMax` octets. */
export function* readSteps(path: string, sizeMax: number): FileSteps<Result<Bytes, OsError>> {
  const what = `read ${path}`;
  const opened = yield* openSteps(path, { flags: O_NONBLOCK, what });
  const held = isBarred(opened) ? heldFile(path) : undefined;
  if (held !== undefined) return yield* readHeld(held, { sizeMax, what });
  if (!opened.ok) return opened;
  const regular = yield* regularFileSteps(opened.value, { what, isDirectoryTold: true });
  const result = regular.ok ? yield* readAll(opened.value, { sizeMax, what }) : regular;
  yield ["close", opened.value];
  return result;
}

/** Tells what a path leads to, following links; undefined when there is nothing. */
export function* statusSteps(path: string): FileSteps<Result<FileStatus | undefined, OsError>> {
  const what = `look at ${path}`;
  const name = pathText(path);
  if (name === undefined) return failed({ call: "statx", what, code: ERRNO.EINVAL });
  const status = allocate(STATX.sizeof);
  const code = -(yield ["statx", AT_FDCWD, name, 0, STATX_BASIC_STATS, status.bytes]);
  if (code === 0) return ok(readStatus(status));
  if (code === ERRNO.ENOENT) return ok(undefined);
  const refused = failed({ call: "statx", what, code });
  const held = isBarred(refused) ? heldFile(path) : undefined;
  if (held === undefined) return refused;
  const found = yield [
    "statx",
    held.fd,
    EMPTY_PATH,
    AT_EMPTY_PATH,
    STATX_BASIC_STATS,
    status.bytes,
  ];
  return found === 0 ? ok(readStatus(status)) : refused;
}

/** Makes a directory and those above it that are missing, with the given mode less the umask. */
export function* makeDirectorySteps(path: string, mode: number): FileSteps<Result<void, OsError>> {
  const parts = path.split("/");
  for (let i = 1; i <= parts.length; i++) {
    const part = parts.slice(0, i).join("/");
    if (part === "" || part === ".") continue;
    const what = `make the directory ${part}`;
    const name = pathText(part);
    if (name === undefined) return failed({ call: "mkdir", what, code: ERRNO.EINVAL });
    const made = yield ["mkdir", name, mode];
    if (made === 0) continue;
    const found = yield* statusSteps(part);
    // A directory above may exist and yet be read-only or not ours: what counts is that it is
    // there.
    if (!found.ok && made === -ERRNO.EEXIST) return found;
    if (!found.ok || found.value?.kind !== "directory") {
      return failed({ call: "mkdir", what, code: -made });
    }
  }
  return ok(undefined);
}

/** Removes a file; that it is not there is no error. */
export function* removeSteps(path: string): FileSteps<Result<void, OsError>> {
  const name = pathText(path);
  const what = `remove ${path}`;
  if (name === undefined) return failed({ call: "unlink", what, code: ERRNO.EINVAL });
  const code = -(yield ["unlink", name]);
  return code === 0 || code === ERRNO.ENOENT
    ? ok(undefined)
    : failed({ call: "unlink", what, code });
}

/** Gives a file another name. */
export function* renameSteps(
  path: string,
  { to, what }: { readonly to: string; readonly what: string },
): FileSteps<Result<void, OsError>> {
  const from = pathText(path), target = pathText(to);
  if (from === undefined || target === undefined) {
    return err(osError({ call: "rename", what, code: ERRNO.EINVAL }));
  }
  const code = -(yield ["rename", from, target]);
  return code === 0 ? ok(undefined) : failed({ call: "rename", what, code });
}

/**
 * Tells whether the way to a file is barred: then, and only then, a descriptor from before the
 * change of user counts.
 */
export function isBarred(result: Result<unknown, OsError>): boolean {
  return !result.ok && ["EACCES", "EPERM", "EROFS"].includes(result.error.name);
}

function* readHeld(
  { fd, purpose }: HeldFile,
  { sizeMax, what }: { readonly sizeMax: number; readonly what: string },
): FileSteps<Result<Bytes, OsError>> {
  const regular = yield* regularFileSteps(fd, { what });
  const content = regular.ok ? yield* readAll(fd, { sizeMax, what }) : regular;
  // It was made empty, to be written to: for a reader there is none yet.
  const isNew = content.ok && purpose === "write" && content.value.length === 0;
  return isNew ? failed({ call: "open", what, code: ERRNO.ENOENT }) : content;
}

/** Writes a path for the kernel, by way of a held folder if it is in one. */
function pathText(path: string): Bytes | undefined {
  return cString(throughHeldFolder(path));
}

/**
 * Returns where a path leads to; after so many links it may be a circle, and the call that follows
 * says so. A link at its end that is not root's does not lead root, which replaces it by what it
 * writes.
 */
export function* followLinks(path: string): FileSteps<string> {
  let end = path;
  for (let i = 0; i < LINKS_MAX; i++) {
    const name = pathText(end);
    if (name === undefined) return end;
    const target = new Uint8Array(PATH_MAX);
    const length = yield ["readlink", name, target, BigInt(PATH_MAX)];
    if (length <= 0 || (libc().geteuid() === 0 && !(yield* isRoots(name)))) return end;
    const text = new TextDecoder().decode(target.subarray(0, length));
    end = text.startsWith("/") ? text : `${parentOf(end)}/${text}`;
  }
  return end;
}

function* isRoots(link: Uint8Array<ArrayBuffer>): FileSteps<boolean> {
  const { bytes, view } = allocate(STATX.sizeof);
  const found = yield ["statx", AT_FDCWD, link, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, bytes];
  return found === 0 && view.getUint32(STATX.stx_uid, true) === 0;
}

/** How to open a file. */
export interface OpenOptions {
  /** Flags of open(2). */
  readonly flags: number;
  /** The permission bits of a file that is made. */
  readonly mode?: number;
  /** What is tried, for the message of an error. */
  readonly what: string;
}

/**
 * Opens a file, closed at an exec; what is no regular file and cannot be opened for that is told as
 * such.
 */
export function* openSteps(path: string, options: OpenOptions): FileSteps<Result<number, OsError>> {
  const name = pathText(path);
  const { what } = options;
  if (name === undefined) return failed({ call: "open", what, code: ERRNO.EINVAL });
  const fd = yield ["open", name, options.flags | O_CLOEXEC, options.mode ?? 0];
  if (fd >= 0) return ok(fd);
  // So says a pipe without a reader, and a socket.
  if (fd === -ERRNO.ENXIO) return notRegular(what);
  return failed({ call: "open", what, code: -fd });
}

/** Refuses an open pipe or device, whose octets have no end or never come. */
export function* regularFileSteps(
  fd: number,
  { what, isDirectoryTold = false }: { readonly what: string; readonly isDirectoryTold?: boolean },
): FileSteps<Result<FileStatus, OsError>> {
  const status = allocate(STATX.sizeof);
  const code = yield ["statx", fd, EMPTY_PATH, AT_EMPTY_PATH, STATX_BASIC_STATS, status.bytes];
  if (code < 0) return failed({ call: "statx", what, code: -code });
  const found = readStatus(status);
  // What is wrong with a directory the read itself tells.
  if (found.kind === "file" || (found.kind === "directory" && isDirectoryTold)) return ok(found);
  return notRegular(what);
}

const EMPTY_PATH = new Uint8Array(1);

/** The error of what is no regular file. */
export function notRegular(what: string): { readonly ok: false; readonly error: OsError } {
  const message = `Cannot ${what}: wanted a regular file, found a pipe, a socket or a device`;
  return err({ call: "open", code: ERRNO.ENXIO, name: "ENXIO", message });
}

function* readAll(
  fd: number,
  { sizeMax, what }: { sizeMax: number; what: string },
): FileSteps<Result<Bytes, OsError>> {
  let bytes = new Uint8Array(Math.min(sizeMax + 1, READ_STEP));
  let length = 0;
  for (;;) {
    if (length === bytes.length) {
      const grown = new Uint8Array(Math.min(sizeMax + 1, bytes.length * 4));
      grown.set(bytes);
      bytes = grown;
    }
    const rest = bytes.subarray(length);
    const got = yield ["pread", fd, rest, BigInt(rest.length), BigInt(length)];
    if (got === -ERRNO.EINTR) continue;
    if (got < 0) return failed({ call: "read", what, code: -got });
    if (got === 0) return ok(bytes.slice(0, length));
    length += got;
    if (length > sizeMax) {
      const hint = `It may have at most ${sizeMax} octets`;
      return failed({ call: "read", what, code: ERRNO.EFBIG, hint });
    }
  }
}

function readStatus({ view }: Memory): FileStatus {
  const mode = view.getUint16(STATX.stx_mode, true);
  const seconds = view.getBigInt64(STATX.stx_mtime + STATX_TIMESTAMP.tv_sec, true);
  const nanoseconds = view.getUint32(STATX.stx_mtime + STATX_TIMESTAMP.tv_nsec, true);
  return {
    kind: kindOf(mode),
    mode: mode & 0o7777,
    uid: view.getUint32(STATX.stx_uid, true),
    gid: view.getUint32(STATX.stx_gid, true),
    size: Number(view.getBigUint64(STATX.stx_size, true)),
    modified: seconds * NANOSECONDS_PER_SECOND + BigInt(nanoseconds),
    inode: view.getBigUint64(STATX.stx_ino, true),
  };
}

function kindOf(mode: number): FileStatus["kind"] {
  const kind = mode & S_IFMT;
  if (kind === S_IFREG) return "file";
  return kind === S_IFDIR ? "directory" : "other";
}

/** Returns the directory that a path is in, written as the path is: `.` for a name alone. */
export function parentOf(path: string): string {
  const parent = path.replace(/\/+$/, "").replace(/[^/]+$/, "");
  return parent === "" ? (path.startsWith("/") ? "/" : ".") : parent.replace(/(.)\/+$/, "$1");
}
