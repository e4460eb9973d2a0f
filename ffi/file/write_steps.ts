/**
 * Writing files, step by step: replaced as a whole, written in place, or added to.
 *
 * The idea: what is new is written beside the old, flushed and renamed over it, so that no reader
 * sees half of a file, even after a power cut. Where the folder forbids that, the file is written
 * where it lies. Limits: those of `file_steps.ts`.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_WRONLY,
} from "../headers/file.ts";
import {
  type FileSteps,
  followLinks,
  isBarred,
  notRegular,
  openSteps,
  parentOf,
  regularFileSteps,
  removeSteps,
  renameSteps,
  statusSteps,
} from "./file_steps.ts";
import { heldFile } from "./held_files.ts";

/** What to write and how. */
export interface AtomicWrite {
  /** The whole new content. */
  readonly bytes: Uint8Array;
  /** The permission bits of the new file, whatever the umask is; 0o644 when left out. */
  readonly mode?: number;
}

/**
 * Replaces a file by new content: written beside it, flushed, renamed over it, and the directory
 * flushed. A symbolic link stays, and what it leads to is replaced; what is there and no regular
 * file is refused. A file that can be written in a folder that cannot (or that is a mount point) is
 * written where it lies.
 */
export function* writeSteps(
  link: string,
  { write, owner }: { readonly write: AtomicWrite; readonly owner: number },
): FileSteps<Result<void, OsError>> {
  const what = `write ${link}`;
  const path = yield* followLinks(link);
  const there = yield* statusSteps(path);
  if (there.ok && there.value?.kind === "other") return notRegular(what);
  const name = temporaryName(path, owner);
  const temporary = yield* writeTemporary(name, { write, what });
  if (!temporary.ok) {
    const inPlace = isBarred(temporary)
      ? yield* writeInPlace(link, { path, write, what })
      : undefined;
    return inPlace ?? temporary;
  }
  const fd = temporary.value;
  const flushed = yield ["fsync", fd];
  yield ["close", fd];
  if (flushed < 0) {
    yield* removeSteps(name);
    return failed({ call: "fsync", what, code: -flushed });
  }
  const replaced = yield* renameSteps(name, { to: path, what });
  if (!replaced.ok) {
    yield* removeSteps(name);
    return isKept(replaced)
      ? (yield* writeInPlace(link, { path, write, what })) ?? replaced
      : replaced;
  }
  yield* flushDirectory(parentOf(path));
  return ok(undefined);
}

/**
 * Adds octets at the end of a file, which is made (mode 0o644 unless given) if it is not there: all
 * of them or, on a disk that is full, none. Nothing is flushed.
 */
export function* appendSteps(
  path: string,
  { bytes, mode = 0o644 }: { readonly bytes: Uint8Array; readonly mode?: number },
): FileSteps<Result<void, OsError>> {
  const what = `append to ${path}`;
  const flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK;
  const opened = yield* openSteps(path, { flags, mode, what });
  if (!opened.ok) return opened;
  const regular = yield* regularFileSteps(opened.value, { what });
  const written = regular.ok ? yield* writeAll(opened.value, { bytes, what }) : regular;
  if (regular.ok && !written.ok) yield ["ftruncate", opened.value, BigInt(regular.value.size)];
  yield ["close", opened.value];
  return written;
}

/**
 * Replaces the content of a file where it lies, which keeps its owner, its mode and its names; a
 * new one has mode 0o666 less the umask. When it fails the old content may be lost.
 */
export function* overwriteSteps(
  path: string,
  bytes: Uint8Array,
): FileSteps<Result<void, OsError>> {
  const what = `write ${path}`;
  const opened = yield* openSteps(path, {
    flags: O_WRONLY | O_CREAT | O_NONBLOCK,
    mode: 0o666,
    what,
  });
  if (!opened.ok) return opened;
  const written = yield* overwrite(opened.value, { bytes, what });
  yield ["close", opened.value];
  return written;
}

/**
 * Names the file in which a process writes what is to replace another: each has its own, so that no
 * file is replaced by half of one.
 */
export function temporaryName(path: string, owner: number): string {
  return `${path}.${owner}.new`;
}

/** Writes a file where it lies; undefined when it is not there or may not be written. */
function* writeInPlace(
  link: string,
  { path, write, what }: {
    readonly path: string;
    readonly write: AtomicWrite;
    readonly what: string;
  },
): FileSteps<Result<void, OsError> | undefined> {
  const { bytes, mode } = write;
  const held = heldFile(link);
  if (held?.purpose === "write") return yield* overwrite(held.fd, { bytes, what });
  const opened = yield* openSteps(path, { flags: O_WRONLY | O_NONBLOCK, what });
  if (!opened.ok) return undefined;
  // Only its owner may change that; who reads secrets that are open to others is told elsewhere.
  if (mode !== undefined) yield ["fchmod", opened.value, mode];
  const written = yield* overwrite(opened.value, { bytes, what });
  yield ["close", opened.value];
  return written;
}

/** Writes the content into a new file and leaves it open. */
function* writeTemporary(
  name: string,
  { write, what }: { readonly write: AtomicWrite; readonly what: string },
): FileSteps<Result<number, OsError>> {
  // What a killed process of the same number left behind is in the way, and worth nothing. Where it
  // cannot be removed, opening says why.
  yield* removeSteps(name);
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const opened = yield* openSteps(name, { flags, mode: 0o600, what });
  if (!opened.ok) return opened;
  const fd = opened.value;
  const written = yield* writeAll(fd, { bytes: write.bytes, what });
  const moded = written.ok ? yield ["fchmod", fd, write.mode ?? 0o644] : 0;
  if (written.ok && moded === 0) return ok(fd);
  yield ["close", fd];
  yield* removeSteps(name);
  return written.ok ? failed({ call: "fchmod", what, code: -moded }) : written;
}

function* overwrite(
  fd: number,
  { bytes, what }: { readonly bytes: Uint8Array; readonly what: string },
): FileSteps<Result<void, OsError>> {
  const regular = yield* regularFileSteps(fd, { what });
  const written = regular.ok ? yield* writeAll(fd, { bytes, what }) : regular;
  if (!written.ok) return written;
  const cut = yield ["ftruncate", fd, BigInt(bytes.length)];
  if (cut < 0) return failed({ call: "ftruncate", what, code: -cut });
  const flushed = yield ["fsync", fd];
  return flushed < 0 ? failed({ call: "fsync", what, code: -flushed }) : ok(undefined);
}

function* writeAll(
  fd: number,
  { bytes, what }: { bytes: Uint8Array; what: string },
): FileSteps<Result<void, OsError>> {
  const content = new Uint8Array(bytes);
  let done = 0;
  while (done < content.length) {
    const rest = content.subarray(done);
    const put = yield ["pwrite", fd, rest, BigInt(rest.length), BigInt(done)];
    if (put > 0) done += put;
    else if (put === 0) return failed({ call: "write", what, code: ERRNO.EIO });
    else if (put !== -ERRNO.EINTR) return failed({ call: "write", what, code: -put });
  }
  return ok(undefined);
}

/**
 * Flushes a directory, where that is possible: the content is safe already, and until the system
 * gets to it a crash brings back the old.
 */
function* flushDirectory(path: string): FileSteps<void> {
  const opened = yield* openSteps(path, { flags: O_DIRECTORY, what: `flush ${path}` });
  if (!opened.ok) return;
  yield ["fsync", opened.value];
  yield ["close", opened.value];
}

/**
 * Tells whether a file cannot be replaced where it lies: by its folder's rights, or because it is a
 * mount point.
 */
function isKept(result: Result<unknown, OsError>): boolean {
  return isBarred(result) || (!result.ok && result.error.name === "EBUSY");
}
