/**
 * A time that has certainly passed, because this program existed then.
 *
 * @module
 */

/** The first second of the year of this release, in Unix seconds; raised with every release (RFC 8915 section 8.5). */
export const RELEASE_TIME = Date.UTC(2026, 0, 1) / 1000;
