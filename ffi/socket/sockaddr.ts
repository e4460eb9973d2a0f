/**
 * Socket addresses in the kernel's layout: `struct sockaddr_in` and `struct sockaddr_in6`.
 *
 * Limits: IPv4 and IPv6 alone. Touches the memory that it is given, and calls nothing.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { type AddressFamily, ipFromBytes, ipToBytes } from "../../src/base/ip_address.ts";
import type { SocketAddress } from "../../src/base/socket_address.ts";
import { AF_INET, AF_INET6, SOCKADDR_IN, SOCKADDR_IN6 } from "../headers/socket.ts";

/** Room for either kind of address, rounded up to eight octets. */
export const SOCKADDR_SIZE = 32;

/** Returns the kernel's number of an address family. */
export function familyNumber(family: AddressFamily): number {
  return family === "ipv4" ? AF_INET : AF_INET6;
}

/** Writes an address at the start of `view` and returns its length, 16 or 28 octets. */
export function encodeSockaddr(address: SocketAddress, view: DataView): number {
  const octets = ipToBytes(address.address);
  assert(octets !== undefined, "A socket address is numeric");
  const isV4 = octets.length === 4;
  assert(isV4 === (address.family === "ipv4"), "A socket address is of its family");
  const { sizeof } = isV4 ? SOCKADDR_IN : SOCKADDR_IN6;
  const target = new Uint8Array(view.buffer, view.byteOffset, sizeof);
  target.fill(0);
  if (isV4) {
    view.setUint16(SOCKADDR_IN.sin_family, AF_INET, true);
    view.setUint16(SOCKADDR_IN.sin_port, address.port, false);
    target.set(octets, SOCKADDR_IN.sin_addr);
    return sizeof;
  }
  view.setUint16(SOCKADDR_IN6.sin6_family, AF_INET6, true);
  view.setUint16(SOCKADDR_IN6.sin6_port, address.port, false);
  target.set(octets, SOCKADDR_IN6.sin6_addr);
  view.setUint32(SOCKADDR_IN6.sin6_scope_id, address.scopeId ?? 0, true);
  return sizeof;
}

/**
 * Reads the address at `offset` of `view`; undefined when it is of neither family. It copies what
 * it reads.
 */
export function decodeSockaddr(view: DataView, offset = 0): SocketAddress | undefined {
  switch (view.getUint16(offset + SOCKADDR_IN.sin_family, true)) {
    case AF_INET: {
      const address = ipAt(view, { offset: offset + SOCKADDR_IN.sin_addr, length: 4 });
      return {
        family: "ipv4",
        address,
        port: view.getUint16(offset + SOCKADDR_IN.sin_port, false),
      };
    }
    case AF_INET6: {
      const address = ipAt(view, { offset: offset + SOCKADDR_IN6.sin6_addr, length: 16 });
      const port = view.getUint16(offset + SOCKADDR_IN6.sin6_port, false);
      const scopeId = view.getUint32(offset + SOCKADDR_IN6.sin6_scope_id, true);
      return { family: "ipv6", address, port, ...(scopeId === 0 ? {} : { scopeId }) };
    }
    default:
      return undefined;
  }
}

function ipAt(
  { buffer, byteOffset }: DataView,
  { offset, length }: { readonly offset: number; readonly length: 4 | 16 },
): string {
  const address = ipFromBytes(new Uint8Array(buffer, byteOffset + offset, length));
  assert(address !== undefined, "An address has four or sixteen octets");
  return address;
}
