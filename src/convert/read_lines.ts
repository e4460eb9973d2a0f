/**
 * Reads files made of lines with a directive each, and the files that they include.
 *
 * The problem: an included file may include its includer, be missing, or be one of thousands. The
 * idea: a file that is being read is not read again, and there are limits to the number of files
 * and to their sizes; both are told in a sentence, and the rest is read. A file is read as a whole
 * or not at all, for half a line may mean more than the whole one: "allow all" of "allow all
 * 10.0.0.0/8". Limits: patterns have wildcards in their last part alone.
 *
 * @module
 */
import { besideFile, folderOf } from "../base/beside_file.ts";
import type { Result } from "../base/result.ts";
import { isShellPattern, shellPattern } from "../base/shell_pattern.ts";
import type { Draft, Place } from "./draft.ts";

/** Reads further files; errors are sentences. */
export interface Reader {
  /** Reads a whole text file. */
  read(path: string): Result<string, string>;
  /** Lists the names in a folder, in any order. */
  list(folder: string): Result<readonly string[], string>;
}

/** A line with a directive. */
export interface Line extends Place {
  /** The directive in lower case. */
  readonly word: string;
  /** What follows it. */
  readonly rest: readonly string[];
}

/** So many files are read for one configuration, and as many folders listed. */
const FILES_MAX = 100;
/** The longest line that is read, in UTF-16 units. */
export const LINE_MAX = 4096;
/** Why a longer one is not. */
export const LINE_TOO_LONG = `a line of more than ${LINE_MAX} characters is not read`;
/** So much is read of all files together, in UTF-16 units. */
export const TEXT_MAX = 1 << 20;

/** The files of one configuration. */
export class Files {
  readonly #draft: Draft;
  readonly #reader: Reader;
  readonly #isComment: RegExp;
  readonly #take: (line: Line) => void;
  readonly #open: string[] = [];
  #count = 0;
  #folders = 0;
  #left = TEXT_MAX;

  /** `isComment` matches what is left out of a line; `take` is called with each directive. */
  constructor(
    { draft, reader, isComment, take }: {
      readonly draft: Draft;
      readonly reader: Reader;
      readonly isComment: RegExp;
      readonly take: (line: Line) => void;
    },
  ) {
    this.#take = take;
    this.#draft = draft;
    this.#reader = reader;
    this.#isComment = isComment;
  }

  /** Reads a text of at most `TEXT_MAX`, and the files that it includes. */
  each(file: string, text: string): void {
    this.#count++;
    this.#open.push(file);
    this.#left -= text.length;
    for (const [i, whole] of text.split(/\r?\n/).entries()) {
      const said = whole.replace(this.#isComment, "").trim();
      const [word = "", ...rest] = said.slice(0, LINE_MAX).split(/\s+/);
      if (word === "") continue;
      if (said.length > LINE_MAX) {
        this.#draft.without({ file, line: i + 1, text: said }, LINE_TOO_LONG);
        continue;
      }
      this.#take({ file, line: i + 1, text: said, word: word.toLowerCase(), rest });
    }
    this.#open.pop();
  }

  /** Reads what a line includes: a file, or all files that a pattern matches. */
  include(place: Place, pattern: string): void {
    const path = besideFile(place.file, pattern), folder = folderOf(path);
    const name = path.slice(folder.length);
    if (!isShellPattern(name)) return this.#one(place, path);
    this.folder(place, { folder, matches: shellPattern(name) });
  }

  /**
   * Reads all files of a folder whose names match, in the order of the names; those in `seen` were
   * found in another folder, and count there alone.
   */
  folder(
    place: Place,
    { folder, matches, seen = new Set() }: {
      readonly folder: string;
      readonly matches: RegExp;
      readonly seen?: Set<string>;
    },
  ): void {
    if (this.#folders >= FILES_MAX) return this.#draft.without(place, tooMany());
    this.#folders++;
    const names = this.#reader.list(folder === "" ? "." : folder);
    if (!names.ok) return this.#draft.without(place, names.error);
    const chosen = names.value.filter((name) => matches.test(name) && !seen.has(name))
      .sort();
    for (const name of chosen) {
      if (this.#count >= FILES_MAX) break;
      seen.add(name);
      this.#one(place, `${folder.replace(/([^/])$/, "$1/")}${name}`);
    }
    if (this.#count >= FILES_MAX) this.#draft.without(place, tooMany());
  }

  #one(place: Place, path: string): void {
    if (this.#open.includes(path)) {
      return this.#draft.without(place, `${path} includes itself; it is read once`);
    }
    if (this.#count >= FILES_MAX) return this.#draft.without(place, tooMany());
    const text = this.#reader.read(path);
    if (!text.ok) return this.#draft.without(place, text.error);
    if (text.value.length > this.#left) {
      const reason = `At most ${TEXT_MAX} characters are read of all files; ${path} is left out`;
      return this.#draft.without(place, reason);
    }
    this.each(path, text.value);
  }
}

function tooMany(): string {
  return `At most ${FILES_MAX} files are read, and as many folders; what else is included is left out`;
}
