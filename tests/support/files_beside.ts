/**
 * Files in memory, for tests of configurations that include others.
 *
 * @module
 */
import { err, ok } from "../../src/base/result.ts";
import type { FilesBeside } from "../../src/config/include.ts";

/** Files by path, which a test may change as it goes; what is undefined is not there. */
export function filesBeside(content: Readonly<Record<string, string | undefined>>): FilesBeside {
  return {
    readFile: (path) => {
      const text = content[path];
      return text === undefined
        ? err({ name: "ENOENT", message: `Cannot read ${path}: no such file` })
        : ok(text);
    },
    listFolder: (folder) => {
      const start = `${folder.replace(/\/$/, "")}/`;
      const names = Object.keys(content).filter((path) =>
        path.startsWith(start) && content[path] !== undefined &&
        !path.slice(start.length).includes("/")
      ).map((path) => path.slice(start.length));
      return names.length > 0
        ? ok(names)
        : err({ name: "ENOENT", message: `Cannot list ${folder}: no such directory` });
    },
  };
}
