/**
 * Which secret files of a configuration others than their owner can read or change.
 *
 * The rule: only the owner and, for reading, the group of the file; a group is how a certificate's
 * key is shared with ntpsd. Limits: only the permission bits are looked at, no access
 * lists; the folders above are the administrator's.
 *
 * @module
 */
import { fileStatus } from "../../ffi/file/files.ts";
import type { NamedPath } from "../config/named_path.ts";

/** A secret that is open to others. */
export interface OpenSecret {
  /** The key of the configuration that names the file. */
  readonly key: string;
  /** A sentence with the file, what others can do with it, and what to do. */
  readonly message: string;
}

const GROUP_WRITES = 0o020;
const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;

/** Whom ntpsd becomes unless the configuration says otherwise. */
const DEFAULT_USER = "ntpsd";

/**
 * Returns the secrets that are open to others, for a daemon that runs as `user`; files that are not
 * there or cannot be looked at are none.
 */
export function openSecrets(
  paths: readonly NamedPath[],
  user: string = DEFAULT_USER,
): readonly OpenSecret[] {
  return paths.filter(({ use }) => use.isSecret).flatMap(({ key, path, use }) => {
    const status = fileStatus(path);
    if (!status.ok || status.value?.kind !== "file") return [];
    const { mode } = status.value;
    const isWritable = (mode & (GROUP_WRITES | OTHERS_WRITE)) !== 0;
    const isReadable = (mode & OTHERS_READ) !== 0;
    if (!isWritable && !isReadable) return [];
    const can = isReadable ? isWritable ? "read and change" : "read" : "change";
    const bits = (mode & 0o777).toString(8).padStart(4, "0");
    // A file that others provide would be closed to ntpsd as one of its owner alone.
    const remedy = user === "root" || use.kind !== "read"
      ? `chmod 0600 ${path}`
      : `chown root:${user} ${path} && chmod 0640 ${path}`;
    const message = `Others can ${can} ${path}, which is secret (mode ${bits}): ${remedy}`;
    return [{ key, message }];
  });
}
