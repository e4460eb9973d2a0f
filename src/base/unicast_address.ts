/**
 * Which addresses can belong to one host, and so to a server that is asked.
 *
 * The problem: a name server that blocks a name often answers with 0.0.0.0 or ::, which reach this
 * very machine; a multicast or broadcast address reaches many. The idea: one function that names
 * the kind. Limits: the broadcast address of a network (such as 192.0.2.255 in a /24) cannot be
 * told without its mask; the kernel refuses it.
 *
 * @module
 */
import { plainIpToBytes } from "./ip_address.ts";

/**
 * Says what an address is instead of that of one host, such as "a multicast address"; undefined
 * when it is one.
 */
export function otherThanUnicast(address: string): string | undefined {
  const bytes = plainIpToBytes(address);
  if (bytes === undefined) return undefined;
  if (bytes.length === 4) return otherThanUnicastIpv4(bytes);
  if (bytes.every((octet) => octet === 0)) return "the unspecified address";
  return bytes[0] === 0xff ? "a multicast address" : undefined;
}

/**
 * Tells whether an address means the machine on which it is used (RFC 1122 section 3.2.1.3, RFC
 * 4291 section 2.5.3).
 */
export function isLoopback(address: string): boolean {
  const bytes = plainIpToBytes(address);
  if (bytes?.length === 4) return bytes[0] === 127;
  return bytes?.every((octet, i) => octet === (i === 15 ? 1 : 0)) ?? false;
}

/** RFC 1122 section 3.2.1.3 and RFC 1112 section 4. */
function otherThanUnicastIpv4(bytes: Uint8Array): string | undefined {
  const first = bytes[0] ?? 0;
  if (first === 0) return "the unspecified address";
  if (bytes.every((octet) => octet === 255)) return "the broadcast address";
  if (first >= 224 && first < 240) return "a multicast address";
  return first >= 240 ? "a reserved address" : undefined;
}
