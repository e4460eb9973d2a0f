/**
 * What the daemon remembers over a restart in files of its own: the drift of the clock.
 *
 * The idea: a text file with two numbers, frequency and skew in parts per million, so that an
 * administrator can read and write it; its first number is what ntpd's drift file holds. A file
 * that makes no sense is set aside, never believed and never silently overwritten. Limits: signs
 * are those of ntpd: positive when the clock must be made faster.
 *
 * @module
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { Ppm } from "../../base/units.ts";
import { StateFile } from "./state_file.ts";

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
  readonly error: string | undefined;
}

/** The uncertainty that is assumed where a file holds a frequency alone. */
const SKEW_UNKNOWN: Ppm = 5;
/** More than any drift file of any program holds. */
const DRIFT_FILE_MAX = 4096;

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
  const parsed = found.kind === "content"
    ? parseDrift(new TextDecoder().decode(found.bytes), frequencyMax)
    : err(`it is longer than ${DRIFT_FILE_MAX} octets`);
  if (parsed.ok) return { drift: parsed.value, error: undefined };
  return {
    drift: undefined,
    error: `The drift file ${file.path} cannot be used, ${parsed.error}; ${file.setAside()}`,
  };
}

/**
 * Reads the text of a drift file: the frequency and, if there is one, the skew, separated by white
 * space and ended by an end of line, without which the text counts as half written. The error goes
 * on from "the file cannot be used, ".
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

/** Replaces the drift file as a whole; the error is a sentence that says what to do. */
export async function writeDriftFile(file: StateFile, drift: Drift): Promise<Result<void, string>> {
  return await file.writeInBackground(new TextEncoder().encode(formatDrift(drift)));
}
