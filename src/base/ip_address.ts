/**
 * Numeric IP addresses between text and octets.
 *
 * The idea: an address is carried as canonical text (RFC 5952 for IPv6), because text compares,
 * prints and keys maps; octets are made where a structure or a hash needs them. Limits: no names,
 * no prefixes, no zone (see `socket_address.ts`); IPv4 is four plain decimal numbers, none of the
 * older octal, hexadecimal or shortened forms.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";

/** The two families of IP addresses. */
export type AddressFamily = "ipv4" | "ipv6";

/** Reads numeric IPv4 or IPv6 text into 4 or 16 octets; undefined when it is neither. */
export function ipToBytes(text: string): Bytes | undefined {
  return text.includes(":") ? ipv6ToBytes(text) : ipv4ToBytes(text);
}

/**
 * Reads like `ipToBytes`, but an IPv4 address in IPv6 clothes into the 4 octets that it is (RFC
 * 4291 section 2.5.5.2).
 */
export function plainIpToBytes(text: string): Bytes | undefined {
  const bytes = ipToBytes(text);
  return bytes !== undefined && isMapped(bytes) ? bytes.slice(12) : bytes;
}

/**
 * Writes 4 octets as dotted decimals, 16 octets in the canonical form of IPv6; undefined for any
 * other length (RFC 5952).
 */
export function ipFromBytes(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join(".");
  return bytes.length === 16 ? ipv6FromBytes(bytes) : undefined;
}

/** Returns the family of numeric text, or undefined when it is not a numeric address. */
export function ipFamily(text: string): AddressFamily | undefined {
  const bytes = ipToBytes(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? "ipv4" : "ipv6";
}

/**
 * Brings numeric text to its canonical form, so that equal addresses are equal strings; undefined
 * when it is not numeric. An IPv4-mapped IPv6 address stays IPv6 (`::ffff:192.0.2.1`).
 */
export function canonicalIp(text: string): string | undefined {
  const bytes = ipToBytes(text);
  return bytes === undefined ? undefined : ipFromBytes(bytes);
}

function ipv4ToBytes(text: string): Bytes | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const value = Number(part);
    if (value > 255) return undefined;
    bytes[i] = value;
  }
  return bytes;
}

function ipv6ToBytes(text: string): Bytes | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] ?? "", halves.length === 1);
  const tail = groups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Reads colon-separated groups; the last of the whole address may be dotted decimals. */
function groups(text: string, last: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && part.includes(".")) {
      const v4 = ipv4ToBytes(part);
      if (v4 === undefined) return undefined;
      octets.push(...v4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      const value = Number.parseInt(part, 16);
      octets.push(value >>> 8, value & 0xff);
    }
  }
  return octets.length > 16 ? undefined : octets;
}

function ipv6FromBytes(bytes: Uint8Array): string {
  if (isMapped(bytes)) return `::ffff:${bytes.subarray(12).join(".")}`;
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  const { start, length } = longestZeroRun(words);
  const hex = (part: readonly number[]) => part.map((word) => word.toString(16)).join(":");
  if (length < 2) return hex(words);
  return `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.subarray(0, 10).every((octet) => octet === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Finds the first longest run of zero groups (RFC 5952 section 4.2.3). */
function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= words.length; i++) {
    if (words[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
