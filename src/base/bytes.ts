/**
 * What every codec needs of octet strings: hexadecimal, joining, comparing without telling the time
 * it took.
 *
 * @module
 */

/** Octets in memory of our own (not shared, not resizable by others). */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Where octets lie in a buffer; the owner may use one object again and again. */
export interface ByteRange<Buffer = Bytes> {
  /** The buffer. */
  readonly bytes: Buffer;
  /** Where the octets begin. */
  readonly offset: number;
  /** How many there are. */
  readonly length: number;
}

/** Writes octets as lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const octet of bytes) text += octet.toString(16).padStart(2, "0");
  return text;
}

/** Reads hexadecimal (white space allowed between octets); undefined when it is not that. */
export function fromHex(text: string): Bytes | undefined {
  const digits = text.replaceAll(/\s+/g, "");
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return undefined;
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** Joins octet strings into a new one. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Compares two octet strings in a time that depends on their lengths alone. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let different = 0;
  for (let i = 0; i < a.length; i++) different |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return different === 0;
}
