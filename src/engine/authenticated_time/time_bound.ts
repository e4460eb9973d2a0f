/**
 * A time that has certainly passed, on disk.
 *
 * @module
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { UnixSeconds } from "../../base/units.ts";
import { TIME_BOUND_SUFFIX } from "../../config/sections/nts.ts";

const FILE_HEAD = "ntpsd time bound 1\n";
const YEAR_9999: UnixSeconds = 253_402_300_799;

/** Returns where the bound is kept, beside the cookies; undefined where nothing is kept. */
export function timeBoundPath(cookieStoragePath: string | undefined): string | undefined {
  return cookieStoragePath === undefined ? undefined : cookieStoragePath + TIME_BOUND_SUFFIX;
}

/** Encodes the bound for the disk: one line that says what it is, one with Unix seconds. */
export function encodeTimeBound(bound: UnixSeconds): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${FILE_HEAD}${Math.floor(bound)}\n`);
}

/** Decodes what `encodeTimeBound` made; a damaged file is no bound. */
export function decodeTimeBound(bytes: Uint8Array): Result<UnixSeconds, "not-a-time-bound"> {
  const text = new TextDecoder().decode(bytes.subarray(0, 64));
  const digits = /^([0-9]{1,12})\n$/.exec(text.slice(FILE_HEAD.length))?.[1];
  if (!text.startsWith(FILE_HEAD) || digits === undefined) return err("not-a-time-bound");
  const bound = Number(digits);
  return bound <= YEAR_9999 ? ok(bound) : err("not-a-time-bound");
}
