/**
 * The network interfaces of this machine and their addresses, as getifaddrs(3) lists them.
 *
 * Limits: at most 4,096 entries. Reads the list that the C library makes, and gives it back.
 *
 * @module
 */
import { ok, type Result } from "../src/base/result.ts";
import type { SocketAddress } from "../src/base/socket_address.ts";
import { failed, type OsError } from "./errno.ts";
import { AF_INET, AF_INET6, SOCKADDR_IN, SOCKADDR_IN6 } from "./headers/socket.ts";
import { IFADDRS, IFF_LOOPBACK, IFF_UP } from "./headers/names.ts";
import { libc } from "./libc.ts";
import { allocate, readCString, viewAt } from "./memory.ts";
import { decodeSockaddr } from "./socket/sockaddr.ts";

/** One address of one interface. */
export interface InterfaceAddress {
  /** The name of the interface. */
  readonly name: string;
  /** The address; its port is 0. */
  readonly address: SocketAddress;
  /** Whether the interface is switched on. */
  readonly up: boolean;
  /** Whether it leads to this machine itself. */
  readonly loopback: boolean;
}

const ENTRIES_MAX = 4096;

/**
 * Lists the IPv4 and IPv6 addresses that this machine has at this moment, in the kernel's order.
 */
export function interfaceAddresses(): Result<readonly InterfaceAddress[], OsError> {
  const list = allocate(8);
  if (libc().getifaddrs(list.bytes) !== 0) {
    return failed({ call: "getifaddrs", what: "list the network interfaces" });
  }
  const head = list.view.getBigUint64(0, true);
  const found: InterfaceAddress[] = [];
  for (let at = head, entries = 0; at !== 0n && entries < ENTRIES_MAX; entries++) {
    const entry = viewAt(at);
    if (entry === undefined) break;
    const one = readEntry(entry);
    if (one !== undefined) found.push(one);
    at = entry.getBigUint64(IFADDRS.ifa_next);
  }
  libc().freeifaddrs(Deno.UnsafePointer.create(head));
  return ok(found);
}

function readEntry(entry: Deno.UnsafePointerView): InterfaceAddress | undefined {
  const sockaddr = viewAt(entry.getBigUint64(IFADDRS.ifa_addr));
  const name = readCString(Deno.UnsafePointer.create(entry.getBigUint64(IFADDRS.ifa_name)));
  if (sockaddr === undefined || name === undefined) return undefined;
  const family = sockaddr.getUint16(SOCKADDR_IN.sin_family);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const copy = new Uint8Array(SOCKADDR_IN6.sizeof);
  const { sizeof } = family === AF_INET ? SOCKADDR_IN : SOCKADDR_IN6;
  sockaddr.copyInto(copy.subarray(0, sizeof));
  const address = decodeSockaddr(new DataView(copy.buffer));
  if (address === undefined) return undefined;
  const flags = entry.getUint32(IFADDRS.ifa_flags);
  return {
    name,
    address: { ...address, port: 0 },
    up: (flags & IFF_UP) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
  };
}
