/**
 * The network interfaces of this machine and their addresses.
 *
 * @module
 */
import { ok, type Result } from "../src/base/result.ts";
import type { SocketAddress } from "../src/base/socket_address.ts";
import { failed, type OsError } from "./errno.ts";
import { libc } from "./libc.ts";
import { allocate, readCString, viewAt } from "./memory.ts";
import { AF_INET, AF_INET6, decodeSockaddr } from "./socket/sockaddr.ts";

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

const FLAG_UP = 0x1;
const FLAG_LOOPBACK = 0x8;
const NAME_SIZE = 16;
const ENTRIES_MAX = 4096;

/** Lists the IPv4 and IPv6 addresses that this machine has at this moment, in the kernel's order. */
export function interfaceAddresses(): Result<readonly InterfaceAddress[], OsError> {
  const list = allocate(8);
  if (libc().getifaddrs(list.bytes) !== 0) {
    return failed({ call: "getifaddrs", what: "list the network interfaces" });
  }
  const head = list.view.getBigUint64(0, true);
  const found: InterfaceAddress[] = [];
  // struct ifaddrs: next 0, name 8, flags 16, address 24.
  for (let at = head, entries = 0; at !== 0n && entries < ENTRIES_MAX; entries++) {
    const entry = viewAt(at);
    if (entry === undefined) break;
    const one = readEntry(entry);
    if (one !== undefined) found.push(one);
    at = entry.getBigUint64(0);
  }
  libc().freeifaddrs(Deno.UnsafePointer.create(head));
  return ok(found);
}

/** Returns the name of an interface by its number; undefined when there is none. */
export function interfaceName(index: number): string | undefined {
  const name = allocate(NAME_SIZE);
  return readCString(libc().if_indextoname(index, name.bytes));
}

function readEntry(entry: Deno.UnsafePointerView): InterfaceAddress | undefined {
  const sockaddr = viewAt(entry.getBigUint64(24));
  const name = readCString(Deno.UnsafePointer.create(entry.getBigUint64(8)));
  if (sockaddr === undefined || name === undefined) return undefined;
  const family = sockaddr.getUint16(0);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const copy = new Uint8Array(28);
  sockaddr.copyInto(copy.subarray(0, family === AF_INET ? 16 : 28));
  const address = decodeSockaddr(new DataView(copy.buffer));
  if (address === undefined) return undefined;
  const flags = entry.getUint32(16);
  return {
    name,
    address: { ...address, port: 0 },
    up: (flags & FLAG_UP) !== 0,
    loopback: (flags & FLAG_LOOPBACK) !== 0,
  };
}
