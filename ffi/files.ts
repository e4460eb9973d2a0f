/**
 * Files, without Deno's read and write permissions: each function does one thing with a path that the caller names.
 *
 * The idea: reading is bounded; writing replaces the whole file or nothing, so that a reader never sees half of one, even
 * after a power cut. Limits: calls wait for the disk; for the one call that may take long (flushing) there is a variant on
 * the thread pool.
 *
 * @module
 */
import type { Bytes } from "../src/base/bytes.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import { ERRNO, failed, type OsError, osError } from "./errno.ts";
import { lastErrno, libc } from "./libc.ts";
import { allocate, cString } from "./memory.ts";

/** What a file is like. */
export interface FileStatus {
  /** Its kind. */
  readonly kind: "file" | "directory" | "other";
  /** The permission bits, such as 0o600. */
  readonly mode: number;
  /** The owner's number. */
  readonly uid: number;
  /** The length in octets. */
  readonly size: number;
  /** When the content last changed, in nanoseconds since 1970. */
  readonly modified: bigint;
  /** The file's number, to see that a path now leads to another file. */
  readonly inode: bigint;
}

/** What to write and how. */
export interface AtomicWrite {
  /** The whole new content. */
  readonly bytes: Uint8Array;
  /** The permission bits of the new file, whatever the umask is; 0o644 when left out. */
  readonly mode?: number;
}

const O_WRONLY = 0x1;
const O_CREAT = 0x40;
const O_EXCL = 0x80;
const O_APPEND = 0x400;
const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x80000;
// These two have other values on ARM than on x86.
const isArm = Deno.build.arch === "aarch64";
const O_DIRECTORY = isArm ? 0x4000 : 0x10000;
const O_NOFOLLOW = isArm ? 0x8000 : 0x20000;
const AT_FDCWD = -100;
const STATX_BASIC = 0x7ff;
const READ_STEP = 65_536;

const status = allocate(256);

/** Reads a whole file of at most `sizeMax` octets; EFBIG when it is longer. It does not hang on a pipe. */
export function readFile(path: string, sizeMax: number): Result<Bytes, OsError> {
  const what = `read ${path}`;
  const opened = open(path, { flags: O_NONBLOCK, what });
  if (!opened.ok) return opened;
  const result = readAll(opened.value, { sizeMax, what });
  libc().close(opened.value);
  return result;
}

/**
 * Replaces a file by new content: written beside it under another name, flushed, renamed over it, and the directory
 * flushed. When it fails the old file is as it was. It waits for the disk.
 */
export function writeFileAtomic(path: string, write: AtomicWrite): Result<void, OsError> {
  const what = `write ${path}`;
  const temporary = writeTemporary(path, write);
  if (!temporary.ok) return temporary;
  const { fd, name } = temporary.value;
  if (libc().fsync(fd) !== 0) {
    return discard(fd, { name, failure: failed({ call: "fsync", what }) });
  }
  libc().close(fd);
  const replaced = replace(name, path);
  return replaced.ok ? flushDirectory(path) : replaced;
}

/** Does what `writeFileAtomic` does, but waits for the disk on the thread pool. One at a time for each path. */
export async function writeFileAtomicInBackground(
  path: string,
  write: AtomicWrite,
): Promise<Result<void, OsError>> {
  const temporary = writeTemporary(path, write);
  if (!temporary.ok) return temporary;
  const { fd, name } = temporary.value;
  if (await libc().fsyncInBackground(fd) !== 0) {
    // Asking again could succeed, because the kernel reports a lost write only once.
    const failure = failed({ call: "fsync", what: `write ${path}`, code: ERRNO.EIO });
    return discard(fd, { name, failure });
  }
  libc().close(fd);
  const replaced = replace(name, path);
  if (!replaced.ok) return replaced;
  const directory = open(parentOf(path), { flags: O_DIRECTORY, what: `flush ${parentOf(path)}` });
  if (!directory.ok) return directory;
  await libc().fsyncInBackground(directory.value);
  libc().close(directory.value);
  return ok(undefined);
}

/** Adds octets at the end of a file, which is made (mode 0o644) if it is not there. For logs: nothing is flushed. */
export function appendToFile(path: string, bytes: Uint8Array): Result<void, OsError> {
  const what = `append to ${path}`;
  const opened = open(path, { flags: O_WRONLY | O_CREAT | O_APPEND, mode: 0o644, what });
  if (!opened.ok) return opened;
  const written = writeAll(opened.value, { bytes, what });
  libc().close(opened.value);
  return written;
}

/** Tells what a path leads to, following links; undefined when there is nothing. */
export function fileStatus(path: string): Result<FileStatus | undefined, OsError> {
  const what = `look at ${path}`;
  const name = cString(path);
  if (name === undefined) return failed({ call: "statx", what, code: ERRNO.EINVAL });
  if (libc().statx(AT_FDCWD, name, 0, STATX_BASIC, status.bytes) !== 0) {
    const code = lastErrno();
    return code === ERRNO.ENOENT ? ok(undefined) : failed({ call: "statx", what, code });
  }
  const { view } = status;
  const mode = view.getUint16(28, true);
  const seconds = view.getBigInt64(112, true), nanoseconds = view.getUint32(120, true);
  return ok({
    kind: kindOf(mode),
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    size: Number(view.getBigUint64(40, true)),
    modified: seconds * 1_000_000_000n + BigInt(nanoseconds),
    inode: view.getBigUint64(32, true),
  });
}

/** Makes a directory and those above it that are missing, with the given mode less the umask. */
export function makeDirectory(path: string, mode = 0o755): Result<void, OsError> {
  const parts = path.split("/");
  for (let i = 1; i <= parts.length; i++) {
    const part = parts.slice(0, i).join("/");
    if (part === "" || part === ".") continue;
    const what = `make the directory ${part}`;
    const name = cString(part);
    if (name === undefined) return failed({ call: "mkdir", what, code: ERRNO.EINVAL });
    if (libc().mkdir(name, mode) === 0) continue;
    const code = lastErrno();
    const found = fileStatus(part);
    // A directory above may exist and yet be read-only or not ours: what counts is that it is there.
    if (!found.ok || found.value?.kind !== "directory") {
      return failed({ call: "mkdir", what, code });
    }
  }
  return ok(undefined);
}

/** Removes a file; that it is not there is no error. */
export function removeFile(path: string): Result<void, OsError> {
  const name = cString(path);
  const what = `remove ${path}`;
  if (name === undefined) return failed({ call: "unlink", what, code: ERRNO.EINVAL });
  if (libc().unlink(name) === 0) return ok(undefined);
  const code = lastErrno();
  return code === ERRNO.ENOENT ? ok(undefined) : failed({ call: "unlink", what, code });
}

/** Sets a damaged file aside as `PATH.damaged`, in place of an earlier one, and returns the new path. */
export function setFileAside(path: string): Result<string, OsError> {
  const aside = `${path}.damaged`;
  const renamed = renameFile(path, { to: aside, what: `set ${path} aside` });
  return renamed.ok ? ok(aside) : renamed;
}

/** Returns the path of the program that runs. */
export function executablePath(): Result<string, OsError> {
  const target = allocate(4096);
  const name = cString("/proc/self/exe") ?? new Uint8Array();
  const length = libc().readlink(name, target.bytes, 4096n);
  if (length < 0) return failed({ call: "readlink", what: "find the path of this program" });
  return ok(new TextDecoder().decode(target.bytes.subarray(0, length)));
}

interface OpenOptions {
  readonly flags: number;
  readonly mode?: number;
  readonly what: string;
}

function open(path: string, options: OpenOptions): Result<number, OsError> {
  const name = cString(path);
  const { what } = options;
  if (name === undefined) return failed({ call: "open", what, code: ERRNO.EINVAL });
  const fd = libc().open(name, options.flags | O_CLOEXEC, options.mode ?? 0);
  return fd < 0 ? failed({ call: "open", what }) : ok(fd);
}

function readAll(
  fd: number,
  { sizeMax, what }: { sizeMax: number; what: string },
): Result<Bytes, OsError> {
  let bytes = new Uint8Array(Math.min(sizeMax + 1, READ_STEP));
  let length = 0;
  for (;;) {
    if (length === bytes.length) {
      const grown = new Uint8Array(Math.min(sizeMax + 1, bytes.length * 4));
      grown.set(bytes);
      bytes = grown;
    }
    const rest = bytes.subarray(length);
    const got = libc().read(fd, rest, BigInt(rest.length));
    if (got < 0) {
      const code = lastErrno();
      if (code === ERRNO.EINTR) continue;
      return failed({ call: "read", what, code });
    }
    if (got === 0) return ok(bytes.slice(0, length));
    length += got;
    if (length > sizeMax) {
      const hint = `It may have at most ${sizeMax} octets`;
      return failed({ call: "read", what, code: ERRNO.EFBIG, hint });
    }
  }
}

function writeAll(
  fd: number,
  { bytes, what }: { bytes: Uint8Array; what: string },
): Result<void, OsError> {
  const content = new Uint8Array(bytes);
  let done = 0;
  while (done < content.length) {
    const rest = content.subarray(done);
    const put = libc().write(fd, rest, BigInt(rest.length));
    if (put >= 0) {
      done += put;
      continue;
    }
    const code = lastErrno();
    if (code !== ERRNO.EINTR) return failed({ call: "write", what, code });
  }
  return ok(undefined);
}

/** Writes the content beside `path`, under a name with our process number, and leaves the file open. */
function writeTemporary(
  path: string,
  write: AtomicWrite,
): Result<{ readonly fd: number; readonly name: string }, OsError> {
  const name = `${path}.${libc().getpid()}.new`;
  const what = `write ${path}`;
  // What a killed process of the same number left behind is in the way, and worth nothing.
  const removed = removeFile(name);
  if (!removed.ok) return removed;
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const opened = open(name, { flags, mode: 0o600, what });
  if (!opened.ok) return opened;
  const fd = opened.value;
  const written = writeAll(fd, { bytes: write.bytes, what });
  if (!written.ok) return discard(fd, { name, failure: written });
  if (libc().fchmod(fd, write.mode ?? 0o644) !== 0) {
    return discard(fd, { name, failure: failed({ call: "fchmod", what }) });
  }
  return ok({ fd, name });
}

function discard<Failure>(
  fd: number,
  { name, failure }: { readonly name: string; readonly failure: Failure },
): Failure {
  libc().close(fd);
  removeFile(name);
  return failure;
}

function replace(temporary: string, path: string): Result<void, OsError> {
  const renamed = renameFile(temporary, { to: path, what: `write ${path}` });
  if (!renamed.ok) removeFile(temporary);
  return renamed;
}

function renameFile(
  path: string,
  { to, what }: { readonly to: string; readonly what: string },
): Result<void, OsError> {
  const from = cString(path), target = cString(to);
  if (from === undefined || target === undefined) {
    return err(osError({ call: "rename", what, code: ERRNO.EINVAL }));
  }
  return libc().rename(from, target) === 0 ? ok(undefined) : failed({ call: "rename", what });
}

function flushDirectory(path: string): Result<void, OsError> {
  const parent = parentOf(path);
  const opened = open(parent, { flags: O_DIRECTORY, what: `flush ${parent}` });
  if (!opened.ok) return opened;
  // Some file systems cannot flush a directory; the content itself is safe.
  libc().fsync(opened.value);
  libc().close(opened.value);
  return ok(undefined);
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}

function kindOf(mode: number): FileStatus["kind"] {
  const kind = mode & 0o170000;
  if (kind === 0o100000) return "file";
  return kind === 0o040000 ? "directory" : "other";
}
