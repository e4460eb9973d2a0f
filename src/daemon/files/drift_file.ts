/**
 * What the daemon remembers over a restart in files of its own: the drift of the clock.
 *
 * A file that makes no sense is set aside, never believed and never silently overwritten.
 *
 * @module
 */
import type { Result } from "../../base/result.ts";
import type { Ppm } from "../../base/units.ts";
import { type Drift, DRIFT_FILE_MAX, formatDrift, readDrift } from "../../system/drift_text.ts";
import { StateFile } from "./state_file.ts";

/** A drift file as it was found. */
export interface DriftReading {
  /** Undefined if there is none that can be used. */
  readonly drift: Drift | undefined;
  /** What the administrator should know; undefined if all is well. */
  readonly error: string | undefined;
}

/** Returns the drift file at a path, without touching it. */
export function driftFile(path: string): StateFile {
  return new StateFile(path, { sizeMax: DRIFT_FILE_MAX, key: "clock.drift-file" });
}

/**
 * Reads the drift file; a missing one is no error, a damaged or absurd one is set aside, one that
 * cannot be read is left alone.
 */
export function readDriftFile(file: StateFile, frequencyMax: Ppm): DriftReading {
  const found = file.read();
  if (found.kind === "absent") return { drift: undefined, error: undefined };
  if (found.kind === "unreadable") return { drift: undefined, error: found.message };
  const parsed = readDrift(found.kind === "content" ? found.bytes : undefined, frequencyMax);
  if (parsed.ok) return { drift: parsed.value, error: undefined };
  return {
    drift: undefined,
    error: `The drift file ${file.path} cannot be used, ${parsed.error}; ${file.setAside()}`,
  };
}

/** Replaces the drift file as a whole; the error is a sentence that says what to do. */
export async function writeDriftFile(file: StateFile, drift: Drift): Promise<Result<void, string>> {
  return await file.writeInBackground(new TextEncoder().encode(formatDrift(drift)));
}
