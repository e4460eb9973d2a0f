/**
 * Structures and constants of the headers about files.
 *
 * The constants come from <fcntl.h>, <sys/stat.h>, <sys/file.h>, <unistd.h>, <linux/limits.h>.
 *
 * @module
 */
import type { StructLayout } from "./struct_layout.ts";

/** What a file is like (statx(2)). */
export const STATX = {
  type: "struct statx",
  header: "sys/stat.h",
  sizeof: 256,
  stx_nlink: 16,
  stx_uid: 20,
  stx_gid: 24,
  stx_mode: 28,
  stx_ino: 32,
  stx_size: 40,
  stx_mtime: 112,
} as const satisfies StructLayout;

/** A time in `struct statx`. */
export const STATX_TIMESTAMP = {
  type: "struct statx_timestamp",
  header: "sys/stat.h",
  sizeof: 16,
  tv_sec: 0,
  tv_nsec: 8,
} as const satisfies StructLayout;

/** One name in a directory (readdir(3)). */
export const DIRENT = {
  type: "struct dirent",
  header: "dirent.h",
  sizeof: 280,
  d_name: 19,
} as const satisfies StructLayout;

const isArm = Deno.build.arch === "aarch64";

/** Duplicate a descriptor; the copy is closed at an exec. */
export const F_DUPFD_CLOEXEC = 1030;
/** Lock a file for this process alone (flock(2)). */
export const LOCK_EX = 2;
/** Do not wait for a lock (flock(2)). */
export const LOCK_NB = 4;
/** Open to read. */
export const O_RDONLY = 0;
/** Open to write. */
export const O_WRONLY = 0x1;
/** Open to read and write. */
export const O_RDWR = 0x2;
/** Make the file if it is not there. */
export const O_CREAT = 0x40;
/** Fail if the file is there. */
export const O_EXCL = 0x80;
/** Write at the end. */
export const O_APPEND = 0x400;
/** Neither opening nor reading waits. */
export const O_NONBLOCK = 0x800;
/** A terminal that is opened does not become that of the process. */
export const O_NOCTTY = 0x100;
/** Open nothing but a directory. */
export const O_DIRECTORY: number = isArm ? 0x4000 : 0x10000;
/** Fail if the last part of the path is a link. */
export const O_NOFOLLOW: number = isArm ? 0x8000 : 0x20000;
/** The descriptor is closed at an exec. */
export const O_CLOEXEC = 0x80000;
/** A descriptor that names a file and can neither read nor write it. */
export const O_PATH = 0x200000;

/** Paths begin at the working directory. */
export const AT_FDCWD: number = -100;
/** If the last part of the path is a link, it is meant itself. */
export const AT_SYMLINK_NOFOLLOW = 0x100;
/** The path is empty, and the descriptor itself is meant. */
export const AT_EMPTY_PATH = 0x1000;

/** Ask for the number of names. */
export const STATX_NLINK = 0x4;
/** Ask for all that stat(2) tells. */
export const STATX_BASIC_STATS = 0x7ff;
/** The bits of a mode that say the kind of file. */
export const S_IFMT = 0o170000;
/** A socket. */
export const S_IFSOCK = 0o140000;
/** A pipe. */
export const S_IFIFO = 0o010000;
/** A device of characters, such as a terminal. */
export const S_IFCHR = 0o020000;
/** A regular file. */
export const S_IFREG = 0o100000;
/** A directory. */
export const S_IFDIR = 0o040000;
/** A symbolic link. */
export const S_IFLNK = 0o120000;

/** Set the flags of a descriptor. */
export const F_SETFD = 2;
/** Send signals about a descriptor to a process. */
export const F_SETOWN = 8;
/** Send signals about a descriptor to a process or thread. */
export const F_SETOWN_EX = 15;
/** The descriptor is closed at an exec. */
export const FD_CLOEXEC = 1n;
/** May it be written? */
export const W_OK = 2;
/** The longest path, with its closing zero octet. */
export const PATH_MAX = 4096;
/** An offset counts from where reading and writing stand. */
export const SEEK_CUR = 1;
/** As much is written to a pipe as a whole, or not at all. */
export const PIPE_BUF = 4096;
