/**
 * Whether the local clock can be believed at the start, before any source has answered.
 *
 * @module
 */
import { type Seconds, SECONDS_PER_DAY, type UnixSeconds } from "../../base/units.ts";

/** What is known of the clock before anything was measured. */
export interface CertificateTime {
  /** Whether the clock can be believed at the start, see `isClockTrusted`. */
  readonly clockIsTrusted: boolean;
  /** Times that have certainly passed, in Unix seconds: that of the release, that kept on disk. */
  readonly lowerBounds: readonly UnixSeconds[];
  /** That of them which was kept on disk; left out where none was. */
  readonly kept?: UnixSeconds | undefined;
}

/** A clock that is believed, where nothing else is known. */
export const CLOCK_TRUSTED: CertificateTime = { clockIsTrusted: true, lowerBounds: [] };

/** A clock that is set, and not later than this after the time that was kept, is believed. */
const TRUST_AGE_MAX: Seconds = SECONDS_PER_DAY;

/**
 * Tells whether the clock can be believed at the start: the kernel says that some program keeps it
 * right, and it is close to a time that authenticated sources vouched for and that was kept
 * (`VouchedBound`). A clock that forged packets may have set is not.
 */
export function isClockTrusted(
  known: {
    readonly isKept: boolean;
    readonly clock: UnixSeconds;
    readonly lastVouched: UnixSeconds | undefined;
  },
): boolean {
  if (!known.isKept || known.lastVouched === undefined) return false;
  const age = known.clock - known.lastVouched;
  return age >= 0 && age <= TRUST_AGE_MAX;
}
