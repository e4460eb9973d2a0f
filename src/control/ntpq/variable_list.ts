/**
 * Lists of variables as text: `name=value` with commas between them (RFC 9327 section 3).
 *
 * @module
 */
import type { NtpTimestamp } from "../../base/ntp_timestamp.ts";

/** Variables by name, in the order in which they are told, each in its notation. */
export type Variables = ReadonlyMap<string, string>;

const LINE_MAX = 72;

/**
 * Writes the variables that are named, in the order of the names, or all; names without a variable
 * are left out.
 */
export function writeVariables(variables: Variables, names: readonly string[]): Uint8Array {
  const chosen = names.length === 0 ? [...variables.keys()] : names;
  let text = "", line = 0;
  for (const name of chosen) {
    const value = variables.get(name);
    if (value === undefined) continue;
    const item = `${name}=${value}`;
    if (text !== "") {
      const isFull = line + item.length + 2 > LINE_MAX;
      text += isFull ? ",\r\n" : ", ";
      line = isFull ? 0 : line + 2;
    }
    text += item;
    line += item.length;
  }
  return new TextEncoder().encode(`${text}\r\n`);
}

/** Reads the names that a request asks for, each once; values behind them mean nothing. */
export function readNames(text: string): readonly string[] {
  const names = text.split(",").map((part) => part.split("=", 1)[0]?.trim() ?? "");
  return [...new Set(names)].filter((name) => name !== "");
}

/** Writes text in quotes; what is no printable ASCII, and quotes, are replaced. */
export function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]|["\\,]/g, "?")}"`;
}

/** Writes seconds as milliseconds; null is zero. */
export function milliseconds(seconds: number | null | undefined, digits = 6): string {
  return (1000 * (seconds ?? 0)).toFixed(digits);
}

/** Writes a number in hexadecimal. */
export function hexadecimal(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** Writes a timestamp: seconds and fraction, eight hexadecimal digits each. */
export function timestampText(timestamp: NtpTimestamp): string {
  const digits = timestamp.toString(16).padStart(16, "0");
  return `0x${digits.slice(0, 8)}.${digits.slice(8)}`;
}
