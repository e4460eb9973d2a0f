/**
 * Opening datagram sockets and giving them addresses: what the sockets of the client and of the
 * server have in common.
 *
 * Limits: IPv4 and IPv6. Touches the sockets that it is asked about, by libc.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { formatSocketAddress, type SocketAddress } from "../../src/base/socket_address.ts";
import { closeDescriptor } from "../descriptor.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from "../headers/socket.ts";
import { libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import { bindHint } from "./bind_hint.ts";
import { decodeSockaddr, encodeSockaddr, familyNumber, SOCKADDR_SIZE } from "./sockaddr.ts";

const address = allocate(SOCKADDR_SIZE);
const length = allocate(4);

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

/**
 * Binds a socket to a local address; port 0 lets the kernel choose a random free one (RFC 9109).
 */
export function bindSocket(fd: number, local: SocketAddress): Result<void, OsError> {
  const size = encodeSockaddr(local, address.view);
  if (libc().bind(fd, address.bytes, size) === 0) return ok(undefined);
  const what = `bind ${formatSocketAddress(local)}`;
  const failure = failed({ call: "bind", what });
  const { code } = failure.error;
  if (code !== ERRNO.EACCES && code !== ERRNO.EPERM) return failure;
  return failed({ call: "bind", what, code, hint: bindHint(local.port) });
}

/**
 * Tells whether this machine has an address at this moment, as far as it can be found out: whether
 * it can be bound to.
 */
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
  return local === undefined
    ? failed({ call: "getsockname", what, code: ERRNO.EAFNOSUPPORT })
    : ok(local);
}
