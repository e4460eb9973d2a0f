/**
 * Socket addresses in the kernel's layout: `sockaddr_in` (16 octets) and `sockaddr_in6` (28 octets).
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { type AddressFamily, ipFromBytes, ipToBytes } from "../../src/base/ip_address.ts";
import type { SocketAddress } from "../../src/base/socket_address.ts";

/** The kernel's number of IPv4. */
export const AF_INET = 2;

/** The kernel's number of IPv6. */
export const AF_INET6 = 10;

/** Room for either kind of address, rounded up to eight octets. */
export const SOCKADDR_SIZE = 32;

/** Returns the kernel's number of an address family. */
export function familyNumber(family: AddressFamily): number {
  return family === "ipv4" ? AF_INET : AF_INET6;
}

/** Writes an address at `offset` of `view` and returns its length, 16 or 28 octets. */
export function encodeSockaddr(address: SocketAddress, view: DataView, offset = 0): number {
  const octets = ipToBytes(address.address);
  assert(octets !== undefined, "A socket address is numeric");
  const isV4 = octets.length === 4;
  assert(isV4 === (address.family === "ipv4"), "A socket address is of its family");
  view.setUint16(offset, isV4 ? AF_INET : AF_INET6, true);
  view.setUint16(offset + 2, address.port, false);
  const target = new Uint8Array(view.buffer, view.byteOffset + offset, isV4 ? 16 : 28);
  if (isV4) {
    target.set(octets, 4);
    target.fill(0, 8);
    return 16;
  }
  view.setUint32(offset + 4, 0, true);
  target.set(octets, 8);
  view.setUint32(offset + 24, address.scopeId ?? 0, true);
  return 28;
}

/** Reads the address at `offset` of `view`; undefined when it is of neither family. It copies what it reads. */
export function decodeSockaddr(view: DataView, offset = 0): SocketAddress | undefined {
  const family = view.getUint16(offset, true);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const isV4 = family === AF_INET;
  const start = view.byteOffset + offset + (isV4 ? 4 : 8);
  const address = ipFromBytes(new Uint8Array(view.buffer, start, isV4 ? 4 : 16));
  assert(address !== undefined, "An address has four or sixteen octets");
  const port = view.getUint16(offset + 2, false);
  if (isV4) return { family: "ipv4", address, port };
  const scopeId = view.getUint32(offset + 24, true);
  return { family: "ipv6", address, port, ...(scopeId === 0 ? {} : { scopeId }) };
}
