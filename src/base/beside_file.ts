/**
 * Paths that a file names: they are meant from the folder of that file.
 *
 * @module
 */

/** Returns the folder of a path with the slash at its end; empty if the path has none. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** Returns where a path leads that a file names. */
export function besideFile(file: string, path: string): string {
  return path.startsWith("/") ? path : `${folderOf(file)}${path}`;
}
