/**
 * A datagram socket that answers now and then: for monitoring protocols, whose requests come a few
 * at a time.
 *
 * The idea: it is the socket of the server with a small batch, and never waits; a `Poller` says
 * when there is something. Responses leave from the address that was asked. Limits: what is
 * received is valid until the next receive.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { ok, type Result } from "../../src/base/result.ts";
import {
  formatSocketAddress,
  plainAddress,
  type SocketAddress,
} from "../../src/base/socket_address.ts";
import type { OsError } from "../errno.ts";
import { holdFile, takeHeldSocket } from "../file/held_files.ts";
import { F_SETFD } from "../headers/file.ts";
import { libc } from "../libc.ts";
import { ServerBatch } from "./server_batch.ts";
import { ServerSocket } from "./server_socket.ts";

/** So many requests are received at once. */
const CAPACITY = 16;
/** So much room there is for waiting requests. */
const RECEIVE_BUFFER = 256 * 1024;

/** A request and who sent it. */
export interface ControlRequest {
  /** The octets, a copy; empty for one that is too long or has a forged source. */
  readonly bytes: Bytes;
  /** The sender. */
  readonly source: SocketAddress;
  /** Its place among those that were received together. */
  readonly index: number;
}

/** One such socket. Every method returns at once. */
export class ControlSocket {
  readonly #socket: ServerSocket;
  readonly #batch = new ServerBatch(CAPACITY);

  private constructor(socket: ServerSocket) {
    this.#socket = socket;
  }

  /**
   * Opens a socket at an address, or takes over the one that is held for it; one on `[::]` takes
   * IPv4 as well.
   */
  static open(local: SocketAddress): Result<ControlSocket, OsError> {
    const held = takeHeldSocket(formatSocketAddress(local));
    if (held !== undefined) return ok(new ControlSocket(ServerSocket.adopt(held, local)));
    const opened = ServerSocket.open({
      local,
      dualStack: local.address === "::",
      receiveBufferBytes: RECEIVE_BUFFER,
    });
    return opened.ok ? ok(new ControlSocket(opened.value)) : opened;
  }

  /**
   * Opens a socket at an address of one family and holds it, through an exec too, for `open`; what
   * cannot be opened is left to it.
   */
  static hold(local: SocketAddress): void {
    const opened = ControlSocket.open(local);
    if (!opened.ok) return;
    const { fd } = opened.value;
    libc().fcntl(fd, F_SETFD, 0n);
    holdFile({ path: formatSocketAddress(local), fd, purpose: "socket" });
  }

  /** The descriptor, for a `Poller`; -1 after `close`. */
  get fd(): number {
    return this.#socket.fd;
  }

  /** Takes the requests that are there, at most `CAPACITY`; an error is one of the network. */
  receive(): readonly ControlRequest[] {
    const received = this.#socket.receive(this.#batch);
    if (!received.ok) return [];
    return Array.from({ length: received.value }, (_, index) => {
      const at = index * this.#batch.stride;
      return {
        bytes: this.#batch.requests.slice(at, at + (this.#batch.lengths[index] ?? 0)),
        source: plainAddress(this.#batch.peer(index)),
        index,
      };
    });
  }

  /** Sends a response to the sender of a request of the last receive. */
  answer(octets: Bytes, { index }: ControlRequest): void {
    this.#socket.sendBeside(this.#batch, { index, octets });
  }

  /** Closes the socket; may be called twice. Remove it from its `Poller` first. */
  close(): void {
    this.#socket.close();
  }
}
