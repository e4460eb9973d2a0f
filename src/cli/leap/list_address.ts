/**
 * Where the table of leap seconds is published.
 *
 * @module
 */

/** Where IANA publishes the list of IERS. */
export const LIST_ADDRESS = "https://data.iana.org/time-zones/tzdb/leap-seconds.list";
