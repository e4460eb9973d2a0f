/**
 * The last boundary: an error that reached the top of the program without being expected.
 *
 * The problem: such an error is a bug, but one that a packet or a server may be able to cause again
 * and again, which must not end the daemon. The idea: the task that failed is gone, everything else
 * goes on; it is counted, told in the log now and then, and shown in status and metrics. A failed
 * assertion is another matter: what we know of the clock may be wrong then, and the process ends.
 *
 * @module
 */
import { AssertionFailure } from "../../base/assert.ts";
import { boottimeNow } from "../../../ffi/clock/clock.ts";
import { log, LogLimiter } from "../../system/log.ts";

const limiter = new LogLimiter();
let count = 0;

/** How many errors have been met since the start. */
export function internalErrorCount(): number {
  return count;
}

/** Meets an error that reached the top; false when the process cannot go on. */
export function meetInternalError(error: unknown): boolean {
  if (error instanceof AssertionFailure) return false;
  count++;
  const told = error instanceof Error ? error : new Error(String(error));
  const place = told.stack?.split("\n").find((line) => /^\s+at /.test(line))?.trim();
  const kind = `${told.name} ${place ?? ""}`;
  const message = `An error in ntpsd ended one task, and all else goes on; please report it: ` +
    `${told.name}: ${told.message}${place === undefined ? "" : ` (${place})`}`;
  const passed = limiter.pass(message, { now: boottimeNow(), kind });
  if (passed !== undefined) log.error(passed);
  return true;
}
