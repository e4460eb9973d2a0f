/**
 * The key `include`: further files of the configuration. It stands before all sections.
 *
 * @module
 */
import { folderOf } from "../../base/beside_file.ts";
import { isShellPattern } from "../../base/shell_pattern.ts";
import { list, textThat } from "../field.ts";
import { optional, type OptionalKey } from "../key.ts";

const PATTERN = textThat(
  'the path of a file, with wildcards in its last part at the most, such as "conf.d/*.toml"',
  (value) => isUsable(value) ? value : undefined,
  {
    hint: (value) =>
      value.endsWith("/") && !isShellPattern(value) ? `write "${value}*.toml"` : undefined,
  },
);

/** The key, which only the first file may have. */
export const INCLUDE: OptionalKey<readonly string[], readonly string[] | undefined> = optional(
  list(PATTERN, "a list of paths"),
  {
    doc:
      "Further files, relative to the folder of this one. A pattern stands for the files that it " +
      "matches, in the order of their names, and may match none. What they say is added to what this " +
      "file says: their [[sections]] to its own, their keys to its [sections]; a key that is written " +
      "twice is an error. A plain server that is named elsewhere is left out with a note. They cannot " +
      "include others.",
    otherwise: "none",
    reload: "applied",
    foreign: {
      "include confdir sourcedir includefile":
        'write include = ["conf.d/*.toml"] before the first section of the first file',
    },
  },
);

function isUsable(value: string): boolean {
  return !value.endsWith("/") && value !== "" && !value.includes("\0") &&
    !/^~|^\$/.test(value) && !isShellPattern(folderOf(value));
}
