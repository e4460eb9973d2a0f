/**
 * The epochs of NTP and Unix, and the length of an NTP era (RFC 5905 section 6).
 *
 * @module
 */
import { type Seconds, SECONDS_PER_DAY } from "./units.ts";

/** Seconds from the NTP epoch (1900-01-01) to the Unix epoch (1970-01-01). */
export const UNIX_EPOCH_IN_NTP_SECONDS: Seconds = 2_208_988_800;

/** Days from the NTP epoch to the Unix epoch. */
export const UNIX_EPOCH_IN_NTP_DAYS = UNIX_EPOCH_IN_NTP_SECONDS / SECONDS_PER_DAY;

/** Seconds in an NTP era. */
export const ERA_SECONDS: Seconds = 2 ** 32;
