/**
 * Which way datagrams to the rest of the world would take.
 *
 * The idea: a datagram socket that is connected asks the kernel's routing table and sends nothing;
 * the local address that it gets tells the way. It costs some microseconds, so it may be asked
 * every second. Limits: a change further away is not seen.
 *
 * @module
 */
import type { AddressFamily } from "../src/base/ip_address.ts";
import { NTP_PORT } from "../src/base/ports.ts";
import type { SocketAddress } from "../src/base/socket_address.ts";
import { closeDescriptor } from "./descriptor.ts";
import { connectSocket, openDatagramSocket, socketLocalAddress } from "./socket/datagram_socket.ts";

/** Addresses that no host has (RFC 5737, RFC 3849): the way to them is the way to everywhere. */
const ANYWHERE: Readonly<Record<AddressFamily, SocketAddress>> = {
  ipv4: { family: "ipv4", address: "198.51.100.1", port: NTP_PORT },
  ipv6: { family: "ipv6", address: "2001:db8::1", port: NTP_PORT },
};

/**
 * Returns the numeric address from which datagrams to the world would be sent; undefined when there
 * is no route.
 */
export function routeSource(family: AddressFamily): string | undefined {
  const opened = openDatagramSocket(family, true);
  if (!opened.ok) return undefined;
  const fd = opened.value;
  const connected = connectSocket(fd, ANYWHERE[family]);
  const local = connected.ok ? socketLocalAddress(fd) : connected;
  closeDescriptor(fd);
  return local.ok ? local.value.address : undefined;
}
