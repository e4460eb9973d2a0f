/**
 * Reads the configuration again for a running daemon.
 *
 * A file that is gone or has nothing in it is more often a slip of an editor or of a deployment
 * than a wish, so it changes nothing.
 *
 * @module
 */
import { err, ok, type Result } from "../../base/result.ts";
import { formatFailure, type LoadedWithKeys, loadWithKeys } from "../load_config.ts";
import type { FilesBeside } from "../../config/include.ts";

/**
 * Returns what reads it: `named` is the file of the command line, `inForce` the one that is in
 * force; errors are complete lines.
 */
export function reloader(
  { named, inForce }: {
    readonly named: string | undefined;
    readonly inForce: string | undefined;
  },
  beside: FilesBeside,
): () => Result<LoadedWithKeys, readonly string[]> {
  let current = inForce;
  return () => {
    const loaded = loadWithKeys(named, beside);
    if (!loaded.ok) return err(formatFailure(loaded.error, "").trimEnd().split("\n"));
    const { file, isEmpty } = loaded.value;
    if (current !== undefined && file === undefined) {
      return err([
        `${current}: The file is gone (restart ntpsd to use the built-in configuration)`,
      ]);
    }
    if (isEmpty) {
      return err([`${file}: There is nothing in the file (restart ntpsd if that is meant)`]);
    }
    current = file;
    return ok(loaded.value);
  };
}
