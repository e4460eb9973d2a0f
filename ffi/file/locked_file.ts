/**
 * A file that several programs change, one after the other.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { LOCK_EX, LOCK_NB, O_CLOEXEC, O_CREAT, O_NONBLOCK, O_RDWR } from "../headers/file.ts";
import { lastErrno, libc } from "../libc.ts";
import { cString } from "../memory.ts";

/** So often another lock is waited for, and so long. */
const TRIES = 200;
const PAUSE_MICROSECONDS = 50_000;

/**
 * Opens a file, which is made with the given mode if it is not there, and waits until nobody else
 * has locked it, ten seconds at most. It is open to all who do not ask for the lock (flock(2)).
 *
 * @returns what ends that
 */
export function lockFile(path: string, mode: number): Result<() => void, OsError> {
  const what = `open ${path}`, name = cString(path);
  if (name === undefined) return failed({ call: "open", what, code: ERRNO.EINVAL });
  const fd = libc().open(name, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, mode);
  if (fd < 0) return failed({ call: "open", what });
  for (let left = TRIES; libc().flock(fd, LOCK_EX | LOCK_NB) !== 0; left--) {
    const code = lastErrno();
    if (left > 0 && (code === ERRNO.EINTR || code === ERRNO.EAGAIN)) {
      libc().usleep(PAUSE_MICROSECONDS);
      continue;
    }
    libc().close(fd);
    const hint = "Another program has locked it";
    return failed({ call: "flock", what: `lock ${path}`, code, hint });
  }
  return ok(() => void libc().close(fd));
}
