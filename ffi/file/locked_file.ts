/**
 * A file that several programs change, one after the other.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { LOCK_EX, O_CLOEXEC, O_CREAT, O_NONBLOCK, O_RDWR } from "../headers/file.ts";
import { lastErrno, libc } from "../libc.ts";
import { cString } from "../memory.ts";

/**
 * Opens a file, which is made with the given mode if it is not there, and waits until nobody else
 * has locked it. It is open to all who do not ask for the lock (flock(2)).
 *
 * @returns what ends that
 */
export function lockFile(path: string, mode: number): Result<() => void, OsError> {
  const what = `open ${path}`, name = cString(path);
  if (name === undefined) return failed({ call: "open", what, code: ERRNO.EINVAL });
  const fd = libc().open(name, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, mode);
  if (fd < 0) return failed({ call: "open", what });
  while (libc().flock(fd, LOCK_EX) !== 0) {
    const code = lastErrno();
    if (code === ERRNO.EINTR) continue;
    libc().close(fd);
    return failed({ call: "flock", what: `lock ${path}`, code });
  }
  return ok(() => void libc().close(fd));
}
