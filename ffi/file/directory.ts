/**
 * What is in a directory.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { failed, type OsError } from "../errno.ts";
import { DIRENT } from "../headers/file.ts";
import { libc } from "../libc.ts";
import { cString } from "../memory.ts";

/** The same as `listFolder`; empty when the directory cannot be read. */
export function namesIn(folder: string): readonly string[] {
  const names = listFolder(folder);
  return names.ok ? names.value : [];
}

/**
 * Lists the names in a directory, without the two for itself and the one above. It waits for the
 * disk.
 */
export function listFolder(folder: string): Result<readonly string[], OsError> {
  const directory = libc().opendir(cString(folder) ?? new Uint8Array(1));
  if (directory === null) return failed({ call: "opendir", what: `list ${folder}` });
  const names: string[] = [];
  for (;;) {
    const entry = libc().readdir(directory);
    if (entry === null) break;
    const name = new Deno.UnsafePointerView(entry).getCString(DIRENT.d_name);
    if (name !== "." && name !== "..") names.push(name);
  }
  libc().closedir(directory);
  return ok(names);
}
