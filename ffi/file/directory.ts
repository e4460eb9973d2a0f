/**
 * What is in a directory.
 *
 * @module
 */
import { DIRENT } from "../headers/file.ts";
import { libc } from "../libc.ts";
import { cString } from "../memory.ts";

/**
 * Lists the names in a directory, without the two for itself and the one above; empty when it
 * cannot be read. It waits for the disk.
 */
export function namesIn(folder: string): readonly string[] {
  const directory = libc().opendir(cString(folder) ?? new Uint8Array(1));
  if (directory === null) return [];
  const names: string[] = [];
  for (;;) {
    const entry = libc().readdir(directory);
    if (entry === null) break;
    const name = new Deno.UnsafePointerView(entry).getCString(DIRENT.d_name);
    if (name !== "." && name !== "..") names.push(name);
  }
  libc().closedir(directory);
  return names;
}
