/**
 * Files and sockets that were opened with rights that the process does not have any more.
 *
 * The problem: a daemon that changes its user at the start should go on working with files that
 * root alone may read, and may not be given the right to read everything; the same goes for a low
 * port. The idea: they are opened before and kept open through the exec; where `files.ts` is
 * refused by a path, it asks here for the descriptor. Limits: a descriptor leads to the file that
 * was there, so a file that is written anew in place is seen, and one that is replaced by another
 * is not: once the old one has gone from its folder, the descriptor counts for nothing. Writing
 * through a descriptor is in place, not atomic.
 *
 * @module
 */
import { AT_EMPTY_PATH, F_SETFD, FD_CLOEXEC, STATX, STATX_NLINK } from "../headers/file.ts";
import { libc } from "../libc.ts";
import { namesIn } from "./directory.ts";
import { allocate } from "../memory.ts";

/** A file, folder or socket that is held open. */
export interface HeldFile {
  /** The path by which it was opened, as the configuration spells it; of a socket its address. */
  readonly path: string;
  /** The descriptor. */
  readonly fd: number;
  /** What may be done: read the file, also write it, reach what is in the folder, or listen. */
  readonly purpose: "read" | "write" | "folder" | "socket";
}

const held = new Map<string, HeldFile>();
const status = allocate(STATX.sizeof);

/** Takes note of an open file. */
export function holdFile(file: HeldFile): void {
  held.set(file.path, file);
}

/** Returns the descriptor for a path, if one is held and its file is still in its folder. */
export function heldFile(path: string): HeldFile | undefined {
  const file = held.get(path);
  const isFile = file?.purpose === "read" || file?.purpose === "write";
  return isFile && linkCount(file.fd) > 0 ? file : undefined;
}

/** Returns the descriptor of a held socket, which is the caller's from now on. */
export function takeHeldSocket(address: string): number | undefined {
  const socket = held.get(address);
  if (socket?.purpose !== "socket") return undefined;
  held.delete(address);
  return socket.fd;
}

/**
 * Returns a path that leads to the same place through the held folder that it is in, if there is
 * one; else the path itself.
 */
export function throughHeldFolder(path: string): string {
  for (const { path: folder, fd, purpose } of held.values()) {
    if (purpose !== "folder") continue;
    if (path === folder) return `/proc/self/fd/${fd}`;
    const start = folder.endsWith("/") ? folder : `${folder}/`;
    if (path.startsWith(start)) return `/proc/self/fd/${fd}/${path.slice(start.length)}`;
  }
  return path;
}

/** Returns the paths of all files that are held to be read, those that were replaced included. */
export function heldPaths(): readonly string[] {
  return [...held.values()].flatMap(({ path, purpose }) => purpose === "read" ? [path] : []);
}

/** Closes those files that are not needed. */
export function releaseFiles(isNeeded: (file: HeldFile) => boolean): void {
  for (const file of [...held.values()]) {
    if (isNeeded(file)) continue;
    libc().close(file.fd);
    held.delete(file.path);
  }
}

/** Writes down what is held for `takeHeldFiles` of the program that is to follow by exec. */
export function describeHeldFiles(): string {
  return JSON.stringify([...held.values()]);
}

/**
 * Has the program that is to follow by exec find nothing open but the standard streams and what is
 * held: neither does it get what others left open for this one, perhaps with more rights.
 */
export function closeOthersOnExec(): void {
  const kept = new Set([...held.values()].map(({ fd }) => fd));
  for (const fd of namesIn("/proc/self/fd").map(Number)) {
    if (fd > 2 && !kept.has(fd)) libc().fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

/** Takes over what the program before left open; what does not look like that is left alone. */
export function takeHeldFiles(text: string): void {
  for (const file of parse(text)) {
    if (linkCount(file.fd) < 0) continue;
    libc().fcntl(file.fd, F_SETFD, FD_CLOEXEC);
    holdFile(file);
  }
}

function parse(text: string): readonly HeldFile[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isHeldFile) : [];
  } catch {
    return [];
  }
}

function isHeldFile(value: unknown): value is HeldFile {
  if (typeof value !== "object" || value === null) return false;
  const { path, fd, purpose } = value as Partial<Record<keyof HeldFile, unknown>>;
  return typeof path === "string" && Number.isInteger(fd) && (fd as number) > 2 &&
    (purpose === "read" || purpose === "write" || purpose === "folder" || purpose === "socket");
}

/** Tells in how many folders an open file is; -1 if it is not open. */
function linkCount(fd: number): number {
  const result = libc().statx(fd, new Uint8Array(1), AT_EMPTY_PATH, STATX_NLINK, status.bytes);
  return result === 0 ? status.view.getUint32(STATX.stx_nlink, true) : -1;
}
