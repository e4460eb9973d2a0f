/**
 * Where a damaged file goes.
 *
 * @module
 */

/** Returns the path to which ntpsd moves a file of its own that it cannot use. */
export function damagedPath(path: string): string {
  return `${path}.damaged`;
}
