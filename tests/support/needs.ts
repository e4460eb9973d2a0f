/**
 * What a test needs of the machine, in the name of a test that is skipped for want of it: the
 * closing list tells why, then.
 *
 * @module
 */

/** Ends the name of a test that is ignored by what it needs; adds nothing to one that runs. */
export function needs(ignore: boolean, what: string): string {
  return ignore ? ` [needs ${what}]` : "";
}
