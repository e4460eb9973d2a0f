/**
 * The numbers and calls of socket options and of opening and closing sockets, shared by the client and the server socket.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { formatSocketAddress, type SocketAddress } from "../../src/base/socket_address.ts";
import { bindRefusalHint } from "./bind_refusal.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { libc } from "../libc.ts";
import { allocate, cString } from "../memory.ts";
import { decodeSockaddr, encodeSockaddr, familyNumber, SOCKADDR_SIZE } from "./sockaddr.ts";

/** Option levels. */
export const LEVEL = { socket: 1, ip: 0, ipv6: 41 } as const;

/** Options of `LEVEL.socket`. */
export const SOCKET_OPTION = {
  reuseAddress: 2,
  sendBuffer: 7,
  receiveBuffer: 8,
  reusePort: 15,
  receiveTimeout: 20,
  bindToDevice: 25,
  receiveBufferForce: 33,
  timestampNanoseconds: 35,
  timestamping: 37,
  receiveQueueOverflow: 40,
} as const;

/** Options of `LEVEL.ip`. */
export const IP_OPTION = {
  packetInfo: 8,
  mtuDiscover: 10,
  receiveErrors: 11,
  freeBind: 15,
} as const;

/** Options of `LEVEL.ipv6`. */
export const IPV6_OPTION = {
  mtuDiscover: 23,
  receiveErrors: 25,
  v6Only: 26,
  receivePacketInfo: 49,
  packetInfo: 50,
  freeBind: 78,
} as const;

/** Flags of the receive and send calls. */
export const MESSAGE = {
  controlTruncated: 0x8,
  truncated: 0x20,
  dontWait: 0x40,
  errorQueue: 0x2000,
  noSignal: 0x4000,
  waitForOne: 0x10000,
} as const;

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;

const address = allocate(SOCKADDR_SIZE);
const length = allocate(4);
const integer = allocate(4);

/** Opens a datagram socket that is closed on exec; returns its descriptor. */
export function openDatagramSocket(
  family: "ipv4" | "ipv6",
  nonBlocking: boolean,
): Result<number, OsError> {
  const type = SOCK_DGRAM | SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0);
  const fd = libc().socket(familyNumber(family), type, 0);
  if (fd < 0) return failed({ call: "socket", what: `open an ${family} UDP socket` });
  return ok(fd);
}

/** Binds a socket to a local address; port 0 lets the kernel choose a random free one (RFC 9109). */
export function bindSocket(fd: number, local: SocketAddress): Result<void, OsError> {
  const size = encodeSockaddr(local, address.view);
  if (libc().bind(fd, address.bytes, size) === 0) return ok(undefined);
  const what = `bind ${formatSocketAddress(local)}`;
  const failure = failed({ call: "bind", what });
  const { code } = failure.error;
  if (code !== ERRNO.EACCES && code !== ERRNO.EPERM) return failure;
  return failed({ call: "bind", what, code, hint: bindRefusalHint(local.port) });
}

/** Tells whether this machine has an address at this moment, as far as it can be found out: whether it can be bound to. */
export function hasLocalAddress(wanted: SocketAddress): boolean {
  const opened = openDatagramSocket(wanted.family, true);
  if (!opened.ok) return true;
  const bound = bindSocket(opened.value, { ...wanted, port: 0 });
  closeDescriptor(opened.value);
  return bound.ok || bound.error.code !== ERRNO.EADDRNOTAVAIL;
}

/** Fixes the peer of a socket, so that the kernel drops datagrams from all others. */
export function connectSocket(fd: number, peer: SocketAddress): Result<void, OsError> {
  const size = encodeSockaddr(peer, address.view);
  if (libc().connect(fd, address.bytes, size) === 0) return ok(undefined);
  return failed({ call: "connect", what: `use ${formatSocketAddress(peer)}` });
}

/** Returns the local address and port that a socket is bound to. */
export function socketLocalAddress(fd: number): Result<SocketAddress, OsError> {
  length.view.setUint32(0, SOCKADDR_SIZE, true);
  const what = "find the local address of a socket";
  if (libc().getsockname(fd, address.bytes, length.bytes) !== 0) {
    return failed({ call: "getsockname", what });
  }
  const local = decodeSockaddr(address.view);
  return local === undefined ? failed({ call: "getsockname", what, code: 97 }) : ok(local);
}

/** Sets an option whose value is an integer. */
export function setIntegerOption(
  fd: number,
  option: { readonly level: number; readonly name: number; readonly value: number },
): Result<void, OsError> {
  integer.view.setInt32(0, option.value, true);
  if (libc().setsockopt(fd, option.level, option.name, integer.bytes, 4) === 0) {
    return ok(undefined);
  }
  return failed({
    call: "setsockopt",
    what: `set option ${option.name} of level ${option.level} of a socket`,
  });
}

/** Ties a socket to one network interface by its name. */
export function bindToDevice(fd: number, device: string): Result<void, OsError> {
  const name = cString(device);
  const what = `use the network interface ${device}`;
  const { level, option } = { level: LEVEL.socket, option: SOCKET_OPTION.bindToDevice };
  if (name === undefined) return failed({ call: "setsockopt", what, code: 22 });
  if (libc().setsockopt(fd, level, option, name, name.length) === 0) return ok(undefined);
  return failed({
    call: "setsockopt",
    what,
    hint: "Check the name of the interface with `ip link`",
  });
}

/** Closes a descriptor; a second close would hit a stranger, so the caller forgets the number. */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}
