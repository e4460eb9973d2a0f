/**
 * A datagram socket that answers now and then: for monitoring protocols, whose requests come one at
 * a time.
 *
 * The idea: one request is received without waiting, its sender kept as the kernel's own octets,
 * and the response sent back to those. A `Poller` says when there is something. Limits: requests
 * beyond `REQUEST_MAX` octets are cut; the socket is bound to one address, so that responses leave
 * from the address that was asked.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { formatSocketAddress, type SocketAddress } from "../../src/base/socket_address.ts";
import { closeDescriptor } from "../descriptor.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { IOVEC, MSG_DONTWAIT, MSG_NOSIGNAL, MSGHDR } from "../headers/socket.ts";
import { lastErrno, libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import { bindSocket, openDatagramSocket } from "./datagram_socket.ts";
import { writeMessageHead, writeVector } from "./msghdr.ts";
import { decodeSockaddr, SOCKADDR_SIZE } from "./sockaddr.ts";

/** The longest request that is received whole; those of all clients are shorter. */
const REQUEST_MAX = 1024;

/** A request and who sent it. */
export interface ControlRequest {
  /** The octets, a copy. */
  readonly bytes: Bytes;
  /** The sender. */
  readonly source: SocketAddress;
  /** The sender as the kernel has it, for the response. */
  readonly sender: Bytes;
}

const payload = allocate(REQUEST_MAX);
const name = allocate(SOCKADDR_SIZE);
const vector = allocate(IOVEC.sizeof);
const message = allocate(MSGHDR.sizeof);

/** One such socket. Every method returns at once. */
export class ControlSocket {
  #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens a socket at an address. */
  static open(listen: SocketAddress): Result<ControlSocket, OsError> {
    const opened = openDatagramSocket(listen.family, true);
    if (!opened.ok) return opened;
    const bound = bindSocket(opened.value, listen);
    if (bound.ok) return ok(new ControlSocket(opened.value));
    closeDescriptor(opened.value);
    return bound;
  }

  /** The descriptor, for a `Poller`; -1 after `close`. */
  get fd(): number {
    return this.#fd;
  }

  /** Takes the next request; undefined when there is none. */
  receive(): Result<ControlRequest | undefined, OsError> {
    writeVector(vector, 0, { base: payload.address, length: REQUEST_MAX });
    writeMessageHead(message, 0, { name: name.address, vector: vector.address });
    message.view.setUint32(MSGHDR.msg_namelen, SOCKADDR_SIZE, true);
    const length = libc().recvmsg(this.#fd, message.bytes, MSG_DONTWAIT);
    if (length < 0) {
      const code = lastErrno();
      if (code === ERRNO.EAGAIN || code === ERRNO.EINTR) return ok(undefined);
      return failed({ call: "recvmsg", what: "receive a request", code });
    }
    const source = decodeSockaddr(name.view);
    if (source === undefined) return ok(undefined);
    const bytes = payload.bytes.slice(0, Math.min(length, REQUEST_MAX));
    const nameLength = Math.min(message.view.getUint32(MSGHDR.msg_namelen, true), SOCKADDR_SIZE);
    return ok({ bytes, source, sender: name.bytes.slice(0, nameLength) });
  }

  /** Sends a response to the sender of a request. */
  answer(bytes: Bytes, { sender, source }: ControlRequest): Result<void, OsError> {
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    const length = BigInt(bytes.length);
    const sent = libc().sendto(this.#fd, bytes, length, flags, sender, sender.length);
    if (sent >= 0) return ok(undefined);
    return failed({ call: "sendto", what: `answer ${formatSocketAddress(source)}` });
  }

  /** Closes the socket; may be called twice. Remove it from its `Poller` first. */
  close(): void {
    if (this.#fd >= 0) closeDescriptor(this.#fd);
    this.#fd = -1;
  }
}
