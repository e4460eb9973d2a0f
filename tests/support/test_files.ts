/**
 * Odd files for tests: pipes, links, and their removal. The daemon itself makes none, and the
 * runtime's own functions would need more permissions.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { cString } from "../../ffi/memory.ts";

const library = Deno.dlopen("libc.so.6", {
  mkfifo: { parameters: ["buffer", "u32"], result: "i32" },
  symlink: { parameters: ["buffer", "buffer"], result: "i32" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  remove: { parameters: ["buffer"], result: "i32" },
}).symbols;

/** Makes a named pipe. */
export function makePipe(path: string): void {
  assert(library.mkfifo(text(path), 0o600) === 0, "A test's pipe can be made");
}

/** Makes a symbolic link. */
export function makeLink(path: string, target: string): void {
  assert(library.symlink(text(target), text(path)) === 0, "A test's link can be made");
}

/** Returns where a symbolic link leads to; empty if it is none. */
export function linkTarget(path: string): string {
  const target = new Uint8Array(4096);
  const length = library.readlink(text(path), target, 4096n);
  return new TextDecoder().decode(target.subarray(0, Math.max(0, length)));
}

/** Changes the permission bits. */
export function setMode(path: string, mode: number): void {
  assert(library.chmod(text(path), mode) === 0, "A test's file is its own");
}

/** Removes a file, a link, a pipe or an empty directory, if it is there. */
export function removeAny(path: string): void {
  library.remove(text(path));
}

function text(path: string): Uint8Array<ArrayBuffer> {
  const name = cString(path);
  assert(name !== undefined, "A test's path has no zero");
  return name;
}
