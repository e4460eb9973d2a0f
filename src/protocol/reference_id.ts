/**
 * The reference identifier: 32 bits that name what a server follows (RFC 5905 section 7.3).
 *
 * What they mean depends on the stratum: at 0 a kiss code, at 1 the name of a reference clock,
 * above that the IPv4 address of the server's own server, or the start of a digest of its IPv6
 * address. Limits: from stratum 2 up nothing tells an IPv4 address from a digest; the family by
 * which the server is asked is the best guess there is.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { type AddressFamily, ipToBytes } from "../base/ip_address.ts";
import { referenceIdOfIpv6 } from "../crypto/digest.ts";
import { STRATUM_MAX } from "./header.ts";

/**
 * What a server names that follows only itself: an address that no host can have, because a
 * server that follows a neighbour names the neighbour's address, and text such as LOCL is an
 * address too from stratum 2 on. The same as chrony's.
 */
export const LOCAL_REFERENCE_ID = 0x7f7f0101;

/**
 * Turns one to four ASCII characters into a reference identifier, filled up with zero octets on the
 * right.
 */
export function referenceIdFromAscii(text: string): number {
  assert(
    /^[\x20-\x7e]{1,4}$/.test(text),
    "A reference identifier has one to four ASCII characters",
  );
  let bits = 0;
  for (let i = 0; i < 4; i++) bits = bits * 256 + (i < text.length ? text.charCodeAt(i) : 0);
  return bits;
}

/**
 * Returns the identifier by which others name the server at this numeric address; undefined when it
 * is not numeric.
 */
export function referenceIdOfAddress(address: string): number | undefined {
  const octets = ipToBytes(address);
  if (octets === undefined) return undefined;
  if (octets.length === 16) return referenceIdOfIpv6(octets);
  return new DataView(octets.buffer).getUint32(0);
}

/**
 * Reads what an administrator writes as `reference-id`: an IPv4 address, or one to four ASCII
 * characters.
 */
export function parseReferenceId(text: string): number | undefined {
  const octets = ipToBytes(text);
  if (octets !== undefined) return octets.length === 4 ? referenceIdOfAddress(text) : undefined;
  return /^[\x21-\x7e]{1,4}$/.test(text) ? referenceIdFromAscii(text) : undefined;
}

/**
 * Writes an identifier for people: characters at strata 0, 1 and 16, dotted decimals above, or
 * eight hexadecimal digits when the server is reached over IPv6 or there are no characters that can
 * be printed. A loopback address is written as one at every stratum: so servers name their own
 * clock.
 */
export function formatReferenceId(
  referenceId: number,
  context: { readonly stratum: number; readonly family?: AddressFamily },
): string {
  if (referenceId >>> 24 === LOOPBACK) return octetsOf(referenceId).join(".");
  if (context.stratum <= 1) return asciiText(referenceId) ?? hexText(referenceId);
  // a server without time says so in letters: INIT, STEP
  const letters = context.stratum >= STRATUM_MAX ? asciiText(referenceId) : undefined;
  if (letters !== undefined) return letters;
  return context.family === "ipv6" ? hexText(referenceId) : octetsOf(referenceId).join(".");
}

/** The first octet of 127.0.0.0/8. */
const LOOPBACK = 127;

function octetsOf(referenceId: number): readonly number[] {
  return [
    referenceId >>> 24,
    (referenceId >>> 16) & 255,
    (referenceId >>> 8) & 255,
    referenceId & 255,
  ];
}

function hexText(referenceId: number): string {
  return (referenceId >>> 0).toString(16).toUpperCase().padStart(8, "0");
}

function asciiText(referenceId: number): string | undefined {
  let text = "";
  let rest = referenceId >>> 0;
  for (; rest !== 0; rest = (rest << 8) >>> 0) {
    const code = rest >>> 24;
    if (code < 0x20 || code > 0x7e) return undefined;
    text += String.fromCharCode(code);
  }
  return text === "" ? undefined : text;
}
