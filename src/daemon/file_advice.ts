/**
 * What to do when a file of the daemon cannot be written.
 *
 * The problem: "permission denied" puzzles whoever has started the program as root. The idea: a root that has given up
 * CAP_DAC_OVERRIDE, or was never given it, is told to be bound by owners and modes. Limits: advice only; nothing is decided by it.
 *
 * @module
 */
import type { OsError } from "../../ffi/errno.ts";
import { hasCapability } from "../../ffi/privileges.ts";
import { userIds } from "../../ffi/process.ts";

const FORBIDDEN = ["EACCES", "EPERM"];

/** Returns what to do about a failed writing of the file that a key of the configuration names. */
export function writeAdvice(
  { name, hint }: Pick<OsError, "name" | "hint">,
  key: string,
  isBoundRoot: () => boolean = isRootBound,
): string {
  if (FORBIDDEN.includes(name) && isBoundRoot()) {
    return "ntpsd is root here, but without the capability CAP_DAC_OVERRIDE, and such a root may only what the owner and mode " +
      `of a directory allow: give the directory to root, let ntpsd change its user, or change ${key}`;
  }
  return hint ?? `make its directory and let the user of ntpsd write to it, or change ${key}`;
}

function isRootBound(): boolean {
  return userIds().effectiveUid === 0 && !hasCapability("CAP_DAC_OVERRIDE");
}
