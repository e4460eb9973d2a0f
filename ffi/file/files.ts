/**
 * Files, without Deno's read and write permissions: each function does one thing with a path that
 * the caller names.
 *
 * The idea: reading is bounded; writing replaces the whole file or nothing, so that a reader never
 * sees half of one, even after a power cut; what is no regular file is refused and never waited
 * for. Limits: calls wait for the disk, so while anything is served the functions that read and
 * write in the background are to be used, which wait on the thread pool.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { damagedPath } from "../../src/base/damaged_path.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { namesIn } from "./directory.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import {
  type FileStatus,
  followLinks,
  makeDirectorySteps,
  parentOf,
  readSteps,
  removeSteps,
  renameSteps,
  runHere,
  runInBackground,
  statusSteps,
} from "./file_steps.ts";
import { throughHeldFolder } from "./held_files.ts";
import { PATH_MAX, W_OK } from "../headers/file.ts";
import { libc } from "../libc.ts";
import {
  appendSteps,
  type AtomicWrite,
  overwriteSteps,
  temporaryName,
  writeSteps,
} from "./write_steps.ts";
import { allocate, cString } from "../memory.ts";

export type { AtomicWrite, FileStatus };
export { parentOf };

const DIRECTORY_MODE = 0o755;

/**
 * Reads a whole file of at most `sizeMax` octets; EFBIG when it is longer, ENXIO when it is a pipe
 * or a device.
 */
export function readFile(path: string, sizeMax: number): Result<Bytes, OsError> {
  return runHere(readSteps(path, sizeMax));
}

/** Does what `readFile` does on the thread pool. */
export function readFileInBackground(
  path: string,
  sizeMax: number,
): Promise<Result<Bytes, OsError>> {
  return runInBackground(readSteps(path, sizeMax));
}

/**
 * Replaces a file by new content: written beside it under another name, flushed, renamed over it,
 * and the directory flushed. When it fails the old file is as it was. It waits for the disk.
 */
export function writeFileAtomic(path: string, write: AtomicWrite): Result<void, OsError> {
  return runHere(writeSteps(path, { write, owner: libc().getpid() }));
}

/** Does what `writeFileAtomic` does on the thread pool. One at a time for each path. */
export function writeFileAtomicInBackground(
  path: string,
  write: AtomicWrite,
): Promise<Result<void, OsError>> {
  return runInBackground(writeSteps(path, { write, owner: libc().getpid() }));
}

/**
 * Replaces the content of a file where it lies, as a program does that a user told to write there:
 * owner, mode and links stay, and a pipe or a device is refused (ENXIO). When it fails the old
 * content may be lost.
 */
export function overwriteFile(path: string, bytes: Uint8Array): Result<void, OsError> {
  return runHere(overwriteSteps(path, bytes));
}

/**
 * Adds octets at the end of a file, which is made (mode 0o644 unless given) if it is not there. For
 * logs: nothing is flushed.
 */
export function appendToFile(
  path: string,
  octets: { readonly bytes: Uint8Array; readonly mode?: number },
): Result<void, OsError> {
  return runHere(appendSteps(path, octets));
}

/** Does what `appendToFile` does on the thread pool. */
export function appendToFileInBackground(
  path: string,
  bytes: Uint8Array,
): Promise<Result<void, OsError>> {
  return runInBackground(appendSteps(path, { bytes }));
}

/** Tells what a path leads to, following links; undefined when there is nothing. */
export function fileStatus(path: string): Result<FileStatus | undefined, OsError> {
  return runHere(statusSteps(path));
}

/** Does what `fileStatus` does on the thread pool. */
export function fileStatusInBackground(
  path: string,
): Promise<Result<FileStatus | undefined, OsError>> {
  return runInBackground(statusSteps(path));
}

/** Returns the directory in which a file is made or replaced, links followed as a write does. */
export function folderOfFile(path: string): string {
  return parentOf(runHere(followLinks(path)));
}

/** Tells whether this user may make files in a directory, or change a file. */
export function mayWrite(path: string): Result<void, OsError> {
  const what = `write to ${path}`;
  const name = cString(path);
  if (name === undefined) return failed({ call: "access", what, code: ERRNO.EINVAL });
  return libc().access(name, W_OK) === 0 ? ok(undefined) : failed({ call: "access", what });
}

/** Makes a directory and those above it that are missing, with the given mode less the umask. */
export function makeDirectory(path: string, mode = DIRECTORY_MODE): Result<void, OsError> {
  return runHere(makeDirectorySteps(path, mode));
}

/** Does what `makeDirectory` does on the thread pool. */
export function makeDirectoryInBackground(
  path: string,
  mode = DIRECTORY_MODE,
): Promise<Result<void, OsError>> {
  return runInBackground(makeDirectorySteps(path, mode));
}

/** Removes a file; that it is not there is no error. */
export function removeFile(path: string): Result<void, OsError> {
  return runHere(removeSteps(path));
}

/** Does what `removeFile` does on the thread pool. */
export function removeFileInBackground(path: string): Promise<Result<void, OsError>> {
  return runInBackground(removeSteps(path));
}

/**
 * Sets a damaged file aside as `PATH.damaged`, in place of an earlier one, and returns the new
 * path.
 */
export function setFileAside(path: string): Result<string, OsError> {
  const to = damagedPath(path);
  const renamed = runHere(renameSteps(path, { to, what: `set ${path} aside` }));
  return renamed.ok ? ok(to) : renamed;
}

/**
 * Removes what processes that are no more have left beside a file, killed while they wrote. What
 * belongs to a process that lives, or may live, stays.
 */
export function removeLeftovers(path: string): void {
  const place = runHere(followLinks(path)), folder = parentOf(place);
  const ownName = place.slice(place.lastIndexOf("/") + 1);
  for (const name of namesIn(throughHeldFolder(folder))) {
    const owner = Number(/\.([1-9][0-9]*)\.new$/.exec(name)?.[1]);
    if (name !== temporaryName(ownName, owner)) continue;
    if (owner !== libc().getpid() && isGone(owner)) removeFile(`${folder}/${name}`);
  }
}

function isGone(process: number): boolean {
  const [own, other] = [libc().getpid(), process].map((id) => fileStatus(`/proc/${id}`));
  // Where one does not find oneself, that others are not found means nothing.
  return own?.ok === true && own.value !== undefined && other?.ok === true &&
    other.value === undefined;
}

/** Returns the path of the program that runs. */
export function executablePath(): Result<string, OsError> {
  const target = allocate(PATH_MAX);
  const name = cString("/proc/self/exe") ?? new Uint8Array();
  const length = libc().readlink(name, target.bytes, BigInt(PATH_MAX));
  if (length < 0) return failed({ call: "readlink", what: "find the path of this program" });
  return ok(new TextDecoder().decode(target.bytes.subarray(0, length)));
}
