/**
 * What the server's keys for cookies may be like, for those who keep them and for those who read
 * the configuration.
 *
 * @module
 */
import { type Seconds, SECONDS_PER_DAY } from "./units.ts";

/** The most stale keys that can be kept. */
export const STALE_KEY_COUNT_MAX = 64;

/** The shortest interval between rotations. */
export const ROTATION_INTERVAL_MIN: Seconds = 60;

/** The longest interval between rotations. */
export const ROTATION_INTERVAL_MAX: Seconds = 366 * SECONDS_PER_DAY;
