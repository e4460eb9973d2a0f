/**
 * Finds and reads the files that a configuration includes.
 *
 * The idea: paths are relative to the folder of the first file, and only that one includes others,
 * so that there are no circles and nothing depends on an order of reading. What cannot be read is
 * an error; that a pattern matches nothing, or its folder is not there, is none. Limits: 100 files,
 * all of them together as long as the first one may be.
 *
 * @module
 */
import { besideFile, folderOf } from "../base/beside_file.ts";
import { err, ok, type Result } from "../base/result.ts";
import { isShellPattern, shellPattern } from "../base/shell_pattern.ts";
import type { ConfigError } from "./config_error.ts";
import { plainPath } from "./path_conflicts.ts";
import { CONFIG_LENGTH_MAX } from "./toml.ts";

/** Why a file or a folder cannot be read. */
export interface UnreadableFile {
  /** The name of the error: `ENOENT`, `EACCES`, ... */
  readonly name: string;
  /** A sentence. */
  readonly message: string;
  /** What can be done about it. */
  readonly hint?: string;
}

/** How the files beside a configuration are reached. */
export interface FilesBeside {
  /** Reads a whole text file. */
  readonly readFile: (path: string) => Result<string, UnreadableFile>;
  /** Lists the names in a folder, in any order. */
  readonly listFolder: (path: string) => Result<readonly string[], UnreadableFile>;
}

/** One file of a configuration. */
export interface ConfigText {
  /** Where it was read from. */
  readonly file: string;
  /** What is in it. */
  readonly text: string;
}

/** What became of `include`. */
export interface Included {
  /** The files in their order. */
  readonly texts: readonly ConfigText[];
  /** What could not be read, each at its element of `include`. */
  readonly errors: readonly ConfigError[];
}

/** So many files are included at the most. */
const FILES_MAX = 100;
/** So long they are together at the most, in UTF-16 units. */
const LENGTH_MAX = CONFIG_LENGTH_MAX;

/** Reads all files that the `patterns` of `file` name, each once. */
export function readIncluded(
  patterns: readonly string[],
  { file, beside }: { readonly file: string; readonly beside: FilesBeside },
): Included {
  const texts = new Map<string, ConfigText>();
  let length = 0;
  const errors: ConfigError[] = [];
  const report = (i: number, { message, hint }: Omit<UnreadableFile, "name">) => {
    const suggestion = hint === undefined ? {} : { suggestion: hint };
    errors.push({ path: `include[${i}]`, message, ...suggestion });
  };
  for (const [i, pattern] of patterns.entries()) {
    const paths = pathsOf(besideFile(file, pattern), { file, beside });
    if (!paths.ok) report(i, paths.error);
    for (const path of paths.ok ? paths.value : []) {
      if (texts.has(plainPath(path))) continue;
      if (texts.size >= FILES_MAX) {
        report(i, { message: `Wanted at most ${FILES_MAX} files, found more` });
        return { texts: [...texts.values()], errors };
      }
      const text = beside.readFile(path);
      length += text.ok ? text.value.length : 0;
      if (length > LENGTH_MAX) {
        report(i, {
          message: `Wanted at most ${LENGTH_MAX} characters in all, ${path} exceeds them`,
        });
        return { texts: [...texts.values()], errors };
      }
      if (text.ok) texts.set(plainPath(path), { file: path, text: text.value });
      else report(i, text.error.name === "EISDIR" ? withPattern(text.error, path) : text.error);
    }
  }
  return { texts: [...texts.values()], errors };
}

function withPattern(error: UnreadableFile, path: string): UnreadableFile {
  return { ...error, hint: `write "${path.replace(/\/*$/, "")}/*.toml"` };
}

/** Returns the files that a pattern stands for. */
function pathsOf(
  path: string,
  { file, beside }: { readonly file: string; readonly beside: FilesBeside },
): Result<readonly string[], Omit<UnreadableFile, "name">> {
  const folder = folderOf(path), name = path.slice(folder.length);
  const isSelf = (one: string) => plainPath(one) === plainPath(file);
  if (!isShellPattern(name)) {
    return isSelf(path)
      ? err({ message: "The file includes itself", hint: "remove it" })
      : ok([path]);
  }
  const names = beside.listFolder(folder === "" ? "." : folder);
  if (!names.ok) return names.error.name === "ENOENT" ? ok([]) : names;
  const matches = shellPattern(name);
  return ok(
    names.value.filter((one) => matches.test(one)).sort().map((one) => `${folder}${one}`)
      .filter((one) => !isSelf(one)),
  );
}
