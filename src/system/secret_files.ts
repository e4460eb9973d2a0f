/**
 * Which files of a configuration hold secrets, and which of these others than their owner can read
 * or change.
 *
 * The rule: nobody but the owner and, for reading, the group of the file; a group is how a
 * certificate's key is shared with ntpsd. Limits: only the permission bits are looked at, no access
 * lists; the folders above are the administrator's.
 *
 * @module
 */
import { fileStatus } from "../../ffi/file/files.ts";
import type { Config } from "../config/config.ts";

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

/**
 * What the administrator gives, and ntpsd only reads: as a file of its owner alone it would be
 * closed to ntpsd.
 */
const GIVEN = /^keys\.file$|\.private-key-path$/;
const DEFAULT_USER = "ntpsd";

/**
 * Returns the secrets that are open to others; files that are not there or cannot be looked at are
 * none.
 */
export function openSecrets(config: Config): readonly OpenSecret[] {
  const user = config.security.user ?? DEFAULT_USER;
  return secretsOf(config).flatMap(([key, path]) => {
    const status = fileStatus(path);
    if (!status.ok || status.value?.kind !== "file") return [];
    const { mode } = status.value;
    const isWritable = (mode & (GROUP_WRITES | OTHERS_WRITE)) !== 0;
    const isReadable = (mode & OTHERS_READ) !== 0;
    if (!isWritable && !isReadable) return [];
    const can = isReadable ? isWritable ? "read and change" : "read" : "change";
    const bits = (mode & 0o777).toString(8).padStart(4, "0");
    const remedy = user === "root" || !GIVEN.test(key)
      ? `chmod 0600 ${path}`
      : `chown root:${user} ${path} && chmod 0640 ${path}`;
    const message = `Others can ${can} ${path}, which is secret (mode ${bits}): ${remedy}`;
    return [{ key, message }];
  });
}

function secretsOf(config: Config): readonly (readonly [key: string, path: string])[] {
  const { keysFile, ntsKeServers, keyset, nts } = config;
  const all: readonly (readonly [string, string | undefined])[] = [
    ["keys.file", keysFile],
    ...ntsKeServers.map(({ privateKeyPath }, i) =>
      [`nts-ke-server[${i}].private-key-path`, privateKeyPath] as const
    ),
    ["keyset.key-storage-path", keyset.keyStoragePath],
    ["nts.cookie-storage-path", nts.cookieStoragePath],
  ];
  return all.flatMap(([key, path]) => path === undefined ? [] : [[key, path] as const]);
}
