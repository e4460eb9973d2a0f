/**
 * What the daemon remembers over a restart in files of its own: the drift of the clock.
 *
 * The idea: a text file with two numbers, frequency and skew in parts per million, so that an administrator can read and write
 * it; its first number is what ntpd's drift file holds. A file that makes no sense is set aside, never believed and never silently
 * overwritten. Limits: signs are those of ntpd: positive when the clock must be made faster.
 *
 * @module
 */
import {
  readFile,
  removeFile,
  setFileAside,
  writeFileAtomic,
  writeFileAtomicInBackground,
} from "../../ffi/files.ts";
import { heldFile } from "../../ffi/held_files.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Ppm } from "../base/units.ts";

const UNWRITABLE_HINT =
  "make its directory and let the user of ntpsd write to it, or change clock.drift-file";

/** The frequency correction of the clock, as it was found to be. */
export interface Drift {
  /** Positive makes the clock faster. */
  readonly frequency: Ppm;
  /** How far the true value may be from that. */
  readonly skew: Ppm;
}

/** A drift file as it was found. */
export interface DriftReading {
  /** Undefined if there is none that can be used. */
  readonly drift: Drift | undefined;
  /** What the administrator should know; undefined if all is well. */
  readonly problem: string | undefined;
}

/** The uncertainty that is assumed where a file holds a frequency alone. */
const SKEW_UNKNOWN: Ppm = 5;
/** More than any drift file of any program holds. */
const DRIFT_FILE_MAX = 4096;

/** Reads the drift file; a missing one is no problem, a damaged or absurd one is set aside. */
export function readDriftFile(path: string, frequencyMax: Ppm): DriftReading {
  const octets = readFile(path, DRIFT_FILE_MAX);
  if (!octets.ok) {
    if (octets.error.name === "ENOENT") return { drift: undefined, problem: undefined };
    if (octets.error.name !== "EFBIG") return { drift: undefined, problem: octets.error.message };
  }
  const parsed = octets.ok
    ? parseDrift(new TextDecoder().decode(octets.value), frequencyMax)
    : err(`it is longer than ${DRIFT_FILE_MAX} octets`);
  if (parsed.ok) return { drift: parsed.value, problem: undefined };
  const aside = setFileAside(path);
  const fate = aside.ok ? `it is now ${aside.value}` : aside.error.message;
  return {
    drift: undefined,
    problem: `The drift file ${path} cannot be used, ${parsed.error}; ${fate}`,
  };
}

/**
 * Reads the text of a drift file: the frequency and, if there is one, the skew, separated by white space and ended by an end of
 * line, without which the text counts as half written. The error goes on from "the file cannot be used, ".
 */
export function parseDrift(text: string, frequencyMax: Ppm): Result<Drift, string> {
  if (text.trim() === "") return err("it is empty");
  if (!text.endsWith("\n")) return err("its last line has no end, as if half written");
  const words = text.trim().split(/\s+/);
  const numbers = words.map((word) =>
    /^[+-]?[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?$/i.test(word) ? Number(word) : NaN
  );
  const [frequency = NaN, skew = SKEW_UNKNOWN] = numbers;
  if (words.length > 2 || Number.isNaN(frequency) || Number.isNaN(skew)) {
    return err("wanted one or two numbers, found something else");
  }
  if (Math.abs(frequency) > frequencyMax) {
    return err(`wanted at most ${frequencyMax} ppm, found ${frequency} ppm`);
  }
  if (skew < 0 || skew > 1e6) return err(`wanted a skew from 0 to 1000000 ppm, found ${skew}`);
  return ok({ frequency, skew });
}

/** Returns the text of a drift file. */
export function formatDrift({ frequency, skew }: Drift): string {
  return `${frequency.toFixed(6)} ${skew.toFixed(6)}\n`;
}

/** Tries whether a drift file could be written at this path, without touching one; the error is a sentence that says what to do. */
export function tryDriftFile(path: string): Result<void, string> {
  // Opened before the change of user to be written in place.
  if (heldFile(path)?.purpose === "write") return ok(undefined);
  const probe = `${path}.probe`;
  const written = writeFileAtomic(probe, { bytes: new Uint8Array(0) });
  if (!written.ok) return err(`${written.error.message}; ${written.error.hint ?? UNWRITABLE_HINT}`);
  const removed = removeFile(probe);
  return removed.ok ? removed : err(removed.error.message);
}

/** Replaces the drift file as a whole; the error is a sentence that says what to do. */
export async function writeDriftFile(path: string, drift: Drift): Promise<Result<void, string>> {
  const bytes = new TextEncoder().encode(formatDrift(drift));
  const written = await writeFileAtomicInBackground(path, { bytes });
  if (written.ok) return written;
  return err(`${written.error.message}; ${written.error.hint ?? UNWRITABLE_HINT}`);
}
