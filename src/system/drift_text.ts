/**
 * What stands in a drift file: the frequency of the clock.
 *
 * The idea: a text with two numbers, frequency and skew in parts per million, so that an
 * administrator can read and write it; its first number is what ntpd's drift file holds. Limits:
 * signs are those of ntpd: positive when the clock must be made faster.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import type { Ppm } from "../base/units.ts";

/** The frequency correction of the clock, as it was found to be. */
export interface Drift {
  /** Positive makes the clock faster. */
  readonly frequency: Ppm;
  /** How far the true value may be from that. */
  readonly skew: Ppm;
}

/** The uncertainty that is assumed where a file holds a frequency alone. */
const SKEW_UNKNOWN: Ppm = 5;
/** More than any drift file of any program holds. */
export const DRIFT_FILE_MAX = 4096;

/**
 * Reads the octets of a drift file, undefined where they are too many to be read; the error goes on
 * from "the file cannot be used, ".
 */
export function readDrift(
  octets: Uint8Array | undefined,
  frequencyMax: Ppm,
): Result<Drift, string> {
  if (octets === undefined || octets.length > DRIFT_FILE_MAX) {
    return err(`it is longer than ${DRIFT_FILE_MAX} octets`);
  }
  return parseDrift(new TextDecoder().decode(octets), frequencyMax);
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
