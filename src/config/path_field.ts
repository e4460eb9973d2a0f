/**
 * Readers of paths, each of which says what ntpsd does with what is there.
 *
 * @module
 */
import { textThat } from "./field.ts";
import type { Field, PathUse } from "./key.ts";

/** Reads the path of a file that others provide and ntpsd reads, at the start and on a reload. */
export function fileToRead({ isSecret = false } = {}): Field<string> {
  return pathOf("file", { kind: "read", isSecret });
}

/**
 * Reads the path of a file that ntpsd reads at the start and replaces as a whole; `suffixes` are
 * those of further such files beside it.
 */
export function stateFile(
  { isSecret = false, suffixes = [] }: {
    readonly isSecret?: boolean;
    readonly suffixes?: readonly string[];
  } = {},
): Field<string> {
  return pathOf("file", { kind: "state", isSecret, suffixes });
}

/** Reads the path of a directory in which ntpsd makes files. */
export function stateFolder(): Field<string> {
  return pathOf("directory", { kind: "folder", isSecret: false });
}

function pathOf(what: "file" | "directory", use: PathUse): Field<string> {
  return { ...textThat(`the path of a ${what}`, pathText, { hint: pathHint }), path: use };
}

/**
 * A path may be anything but empty; a zero octet would end it early, and only a shell knows what
 * `~` stands for.
 */
function pathText(value: string): string | undefined {
  return value !== "" && !value.includes("\0") && !/^~|^\$/.test(value) ? value : undefined;
}

function pathHint(value: string): string | undefined {
  return /^~|^\$/.test(value) ? "write the whole path: ~ and $ are for shells" : undefined;
}
