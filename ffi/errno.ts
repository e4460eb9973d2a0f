/**
 * What the system says when it refuses: the call, the name of the error, a sentence, and what to do
 * about it.
 *
 * The idea: a system error is a value, complete when it is made, so that it can be printed without
 * further knowledge. Limits: the numbers are those of Linux on x86_64 and aarch64 (they are the
 * same).
 *
 * @module
 */
import { err } from "../src/base/result.ts";
import { lastErrno } from "./libc.ts";

/** A refusal by the operating system. */
export interface OsError {
  /** The function that failed, as in the manual: `bind`, `clock_adjtime`. */
  readonly call: string;
  /** The error number, positive; zero when the number was lost (a call on the thread pool). */
  readonly code: number;
  /**
   * The error's name: `EPERM`, `EADDRINUSE`; `E` and the number for one that is not in the table.
   */
  readonly name: string;
  /** One sentence without full stop that names what was tried, the reason and the call. */
  readonly message: string;
  /** What an administrator can do about it, if there is advice to give. */
  readonly hint?: string;
}

/** What a caller knows about a failed call. */
export interface FailedCall {
  /** The function that failed. */
  readonly call: string;
  /** What was tried, to follow the word "Cannot": `bind 0.0.0.0:123`. */
  readonly what: string;
  /** The error number; `errno` of this thread when left out. */
  readonly code?: number;
  /** Advice that fits this call better than the general one for the number. */
  readonly hint?: string;
}

/** Error numbers that code decides by. */
export const ERRNO: {
  readonly EPERM: 1;
  readonly ENOENT: 2;
  readonly EINTR: 4;
  readonly EIO: 5;
  readonly ENXIO: 6;
  readonly EAGAIN: 11;
  readonly ENOMEM: 12;
  readonly EACCES: 13;
  readonly EEXIST: 17;
  readonly EINVAL: 22;
  readonly EFBIG: 27;
  readonly EPIPE: 32;
  readonly ENOSYS: 38;
  readonly EAFNOSUPPORT: 97;
  readonly EADDRNOTAVAIL: 99;
  readonly ECANCELED: 125;
} = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EEXIST: 17,
  EINVAL: 22,
  EFBIG: 27,
  EPIPE: 32,
  ENOSYS: 38,
  EAFNOSUPPORT: 97,
  EADDRNOTAVAIL: 99,
  ECANCELED: 125,
};

/**
 * Makes an `OsError`. Without `code` it reads `errno`, so it is then to be called in the statement
 * after the failed call, with arguments that make no call themselves.
 */
export function osError(info: FailedCall): OsError {
  const code = info.code ?? lastErrno();
  const [name, reason] = ERRORS.get(code) ?? [`E${code}`, "unknown reason"];
  const hint = info.hint ?? HINTS.get(name);
  const message = `Cannot ${info.what}: ${reason} (${info.call}: ${name})`;
  return { call: info.call, code, name, message, ...(hint === undefined ? {} : { hint }) };
}

/** Makes a failed `Result` of an `OsError`; the same rule for `errno` as in `osError`. */
export function failed(info: FailedCall): { readonly ok: false; readonly error: OsError } {
  const code = info.code ?? lastErrno();
  return err(osError({ ...info, code }));
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ["EMFILE", "Raise the limit on open files (LimitNOFILE in the service unit, or ulimit -n)"],
  ["ENFILE", "The whole system is out of file handles; raise fs.file-max"],
  ["ENOSPC", "Free some space on that file system"],
  ["EDQUOT", "Free some space or raise the quota of this user"],
  ["EROFS", "Choose a directory that is writable"],
  ["EADDRINUSE", "Stop the other program that uses this port, or choose another address or port"],
  ["EADDRNOTAVAIL", "Give an address that this machine has, or 0.0.0.0 or [::]"],
  ["ENETUNREACH", "Check the routes; there may be no network yet"],
  ["EHOSTUNREACH", "Check the routes; there may be no network yet"],
  ["EAFNOSUPPORT", "This kernel has no support for that address family; use the other one"],
]);

/** The names of errors by their numbers, and the words of the C library for them. */
export const ERRORS: ReadonlyMap<number, readonly [string, string]> = new Map([
  [1, ["EPERM", "operation not permitted"]],
  [2, ["ENOENT", "no such file or directory"]],
  [3, ["ESRCH", "no such process"]],
  [4, ["EINTR", "interrupted system call"]],
  [5, ["EIO", "input/output error"]],
  [6, ["ENXIO", "no such device or address"]],
  [7, ["E2BIG", "argument list too long"]],
  [8, ["ENOEXEC", "exec format error"]],
  [9, ["EBADF", "bad file descriptor"]],
  [10, ["ECHILD", "no child processes"]],
  [11, ["EAGAIN", "resource temporarily unavailable"]],
  [12, ["ENOMEM", "cannot allocate memory"]],
  [13, ["EACCES", "permission denied"]],
  [14, ["EFAULT", "bad address"]],
  [15, ["ENOTBLK", "block device required"]],
  [16, ["EBUSY", "device or resource busy"]],
  [17, ["EEXIST", "file exists"]],
  [18, ["EXDEV", "invalid cross-device link"]],
  [19, ["ENODEV", "no such device"]],
  [20, ["ENOTDIR", "not a directory"]],
  [21, ["EISDIR", "is a directory"]],
  [22, ["EINVAL", "invalid argument"]],
  [23, ["ENFILE", "too many open files in system"]],
  [24, ["EMFILE", "too many open files"]],
  [25, ["ENOTTY", "inappropriate ioctl for device"]],
  [26, ["ETXTBSY", "text file busy"]],
  [27, ["EFBIG", "file too large"]],
  [28, ["ENOSPC", "no space left on device"]],
  [29, ["ESPIPE", "illegal seek"]],
  [30, ["EROFS", "read-only file system"]],
  [31, ["EMLINK", "too many links"]],
  [32, ["EPIPE", "broken pipe"]],
  [33, ["EDOM", "numerical argument out of domain"]],
  [34, ["ERANGE", "numerical result out of range"]],
  [35, ["EDEADLK", "resource deadlock avoided"]],
  [36, ["ENAMETOOLONG", "file name too long"]],
  [37, ["ENOLCK", "no locks available"]],
  [38, ["ENOSYS", "function not implemented"]],
  [39, ["ENOTEMPTY", "directory not empty"]],
  [40, ["ELOOP", "too many levels of symbolic links"]],
  [42, ["ENOMSG", "no message of desired type"]],
  [43, ["EIDRM", "identifier removed"]],
  [61, ["ENODATA", "no data available"]],
  [62, ["ETIME", "timer expired"]],
  [64, ["ENONET", "machine is not on the network"]],
  [65, ["ENOPKG", "package not installed"]],
  [66, ["EREMOTE", "object is remote"]],
  [67, ["ENOLINK", "link has been severed"]],
  [70, ["ECOMM", "communication error on send"]],
  [71, ["EPROTO", "protocol error"]],
  [72, ["EMULTIHOP", "multihop attempted"]],
  [74, ["EBADMSG", "bad message"]],
  [75, ["EOVERFLOW", "value too large for defined data type"]],
  [84, ["EILSEQ", "invalid or incomplete multibyte or wide character"]],
  [85, ["ERESTART", "interrupted system call should be restarted"]],
  [87, ["EUSERS", "too many users"]],
  [88, ["ENOTSOCK", "socket operation on non-socket"]],
  [89, ["EDESTADDRREQ", "destination address required"]],
  [90, ["EMSGSIZE", "message too long"]],
  [91, ["EPROTOTYPE", "protocol wrong type for socket"]],
  [92, ["ENOPROTOOPT", "protocol not available"]],
  [93, ["EPROTONOSUPPORT", "protocol not supported"]],
  [94, ["ESOCKTNOSUPPORT", "socket type not supported"]],
  [95, ["EOPNOTSUPP", "operation not supported"]],
  [96, ["EPFNOSUPPORT", "protocol family not supported"]],
  [97, ["EAFNOSUPPORT", "address family not supported by protocol"]],
  [98, ["EADDRINUSE", "address already in use"]],
  [99, ["EADDRNOTAVAIL", "cannot assign requested address"]],
  [100, ["ENETDOWN", "network is down"]],
  [101, ["ENETUNREACH", "network is unreachable"]],
  [102, ["ENETRESET", "network dropped connection on reset"]],
  [103, ["ECONNABORTED", "software caused connection abort"]],
  [104, ["ECONNRESET", "connection reset by peer"]],
  [105, ["ENOBUFS", "no buffer space available"]],
  [106, ["EISCONN", "transport endpoint is already connected"]],
  [107, ["ENOTCONN", "transport endpoint is not connected"]],
  [108, ["ESHUTDOWN", "cannot send after transport endpoint shutdown"]],
  [109, ["ETOOMANYREFS", "too many references: cannot splice"]],
  [110, ["ETIMEDOUT", "connection timed out"]],
  [111, ["ECONNREFUSED", "connection refused"]],
  [112, ["EHOSTDOWN", "host is down"]],
  [113, ["EHOSTUNREACH", "no route to host"]],
  [114, ["EALREADY", "operation already in progress"]],
  [115, ["EINPROGRESS", "operation now in progress"]],
  [116, ["ESTALE", "stale file handle"]],
  [117, ["EUCLEAN", "structure needs cleaning"]],
  [121, ["EREMOTEIO", "remote I/O error"]],
  [122, ["EDQUOT", "disk quota exceeded"]],
  [125, ["ECANCELED", "operation canceled"]],
  [126, ["ENOKEY", "required key not available"]],
  [127, ["EKEYEXPIRED", "key has expired"]],
  [128, ["EKEYREVOKED", "key has been revoked"]],
  [129, ["EKEYREJECTED", "key was rejected by service"]],
  [130, ["EOWNERDEAD", "owner died"]],
  [131, ["ENOTRECOVERABLE", "state not recoverable"]],
]);
