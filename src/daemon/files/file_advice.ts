/**
 * What to do when a file of the daemon cannot be written.
 *
 * The problem: "permission denied" puzzles an administrator who has started the program as root.
 * The idea: a root that has given up CAP_DAC_OVERRIDE, or was never given it, is told to be bound
 * by owners and modes. Limits: advice only; nothing is decided by it.
 *
 * @module
 */
import { isForbidden } from "../../base/forbidden.ts";
import type { OsError } from "../../../ffi/errno.ts";
import { hasCapability } from "../../../ffi/process/privileges.ts";
import { userIds } from "../../../ffi/process/process.ts";

/** What advice is about. */
export interface AdviceContext {
  /** The key of the configuration that names the file. */
  readonly key: string;
  /** Whether ntpsd is a root without all of root's rights; looked up when left out. */
  readonly isBoundRoot?: () => boolean;
}

/** Returns what to do about a failed writing of the file that a key of the configuration names. */
export function writeAdvice(
  error: Pick<OsError, "name" | "hint">,
  context: AdviceContext,
): string {
  return rootAdvice(error, context) ?? error.hint ??
    `make its directory and let the user of ntpsd write to it, or change ${context.key}`;
}

/**
 * Returns what to do if a file is closed to a root that has not all of root's rights; undefined
 * where that is not so.
 */
export function rootAdvice(
  error: Pick<OsError, "name">,
  { key, isBoundRoot = isRootBound }: AdviceContext,
): string | undefined {
  if (!isForbidden(error) || !isBoundRoot()) return undefined;
  return "ntpsd is root here, but without the capability CAP_DAC_OVERRIDE, and such a root may only what owners and modes " +
    `allow: give the file and its directory to root, let ntpsd change its user, or change ${key}`;
}

function isRootBound(): boolean {
  return userIds().effectiveUid === 0 && !hasCapability("CAP_DAC_OVERRIDE");
}
