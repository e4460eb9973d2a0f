/**
 * The UDP socket of the server: many requests per call, many responses per call.
 *
 * The idea: the descriptor blocks, so that one call on the thread pool can wait for the first
 * request and bring all that have queued up by then; every other call says that it will not wait.
 * Requests carry the kernel's receive timestamp. Transmit timestamps are asked for response by
 * response, because each costs a trip through the error queue, and not before a client uses them.
 * Limits: one background receive at a time; several processes share a port by `reusePort`.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { formatSocketAddress, type SocketAddress } from "../../src/base/socket_address.ts";
import { hasFreeThread, inBackground } from "../background.ts";
import { closeDescriptor } from "../descriptor.ts";
import { ERRNO, type OsError, osError } from "../errno.ts";
import {
  MMSGHDR,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_WAITFORONE,
  SHUT_RD,
  SO_TIMESTAMPING,
  SO_TIMESTAMPNS,
  SOL_SOCKET,
} from "../headers/socket.ts";
import {
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_OPT_TSONLY,
  SOF_TIMESTAMPING_RX_SOFTWARE,
  SOF_TIMESTAMPING_SOFTWARE,
} from "../headers/timestamping.ts";
import { lastErrno, libc } from "../libc.ts";
import { waitShared } from "../shared_wait.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { openDatagramSocket, socketLocalAddress } from "./datagram_socket.ts";
import type { ServerBatch } from "./server_batch.ts";
import { prepareServerSocket, type ServerSocketOptions } from "./server_socket_options.ts";
import { setIntegerOption } from "./socket_option.ts";
import { TransmitTimestamps } from "./transmit_timestamps.ts";

/** Software timestamps of receipt, and of sending where a response asks for it; unnumbered. */
const TIMESTAMPS = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
  SOF_TIMESTAMPING_OPT_TSONLY;

/** A UDP socket that listens. */
export class ServerSocket {
  readonly #local: SocketAddress;
  readonly #isDualStack: boolean;
  readonly #timestamps = new TransmitTimestamps();
  #fd: number;
  #waiting = false;
  #closing = false;
  #givesTransmitTimestamps = false;
  #sendFailures = 0;
  #lastSendError: OsError | undefined;

  private constructor(fd: number, { local, isDualStack }: {
    readonly local: SocketAddress;
    readonly isDualStack: boolean;
  }) {
    this.#fd = fd;
    this.#local = local;
    this.#isDualStack = isDualStack;
  }

  /**
   * Opens a socket and binds it. Fails with a sentence that says what to do when the port is taken
   * or not permitted.
   */
  static open(options: ServerSocketOptions): Result<ServerSocket, OsError> {
    const opened = openDatagramSocket(options.local.family, false);
    if (!opened.ok) return opened;
    const fd = opened.value;
    const prepared = prepareServerSocket(fd, options);
    if (!prepared.ok) {
      closeDescriptor(fd);
      return prepared;
    }
    const local = socketLocalAddress(fd);
    const isDualStack = options.dualStack === true;
    return ok(
      new ServerSocket(fd, { local: local.ok ? local.value : options.local, isDualStack }),
    );
  }

  /** Takes over a socket that `open` has opened in the program before this one. */
  static adopt(fd: number, local: SocketAddress): ServerSocket {
    return new ServerSocket(fd, { local, isDualStack: false });
  }

  /** The descriptor, for a `Poller`; -1 after `close`. */
  get fd(): number {
    return this.#fd;
  }

  /** The address and port that the socket listens on. */
  get local(): SocketAddress {
    return this.#local;
  }

  /** How many responses the system refused to send. */
  get sendFailures(): number {
    return this.#sendFailures;
  }

  /** Why it last refused. */
  get lastSendError(): OsError | undefined {
    return this.#lastSendError;
  }

  /** Receives what is there, without waiting; returns the number of requests, which may be 0. */
  receive(batch: ServerBatch): Result<number, OsError> {
    assert(this.#fd >= 0 && !this.#waiting, "A socket is received from once at a time");
    const heads = batch.prepareReceive();
    const count = libc().recvmmsg(this.#fd, heads, batch.capacity, MSG_DONTWAIT, null);
    if (count < 0) return this.#nothing();
    batch.acceptReceived(count, this.#isDualStack);
    return ok(count);
  }

  /**
   * Waits on the thread pool for the first request and brings all that are there by then; 0 perhaps
   * after a second without any, and at once when the socket is closed. The batch is not touched
   * while this is pending.
   */
  async receiveInBackground(batch: ServerBatch): Promise<Result<number, OsError>> {
    assert(this.#fd >= 0 && !this.#waiting, "A socket is received from once at a time");
    this.#waiting = true;
    if (!hasFreeThread("serve")) return await this.#receiveShared(batch);
    const heads = batch.prepareReceive();
    const args = [this.#fd, heads, batch.capacity, MSG_WAITFORONE, null] as const;
    let count = -1;
    try {
      count = await inBackground("serve", "recvmmsg", [...args], batch);
    } finally {
      this.#waiting = false;
    }
    if (this.#closing) {
      // What came in the last moment is dropped, but the heads that it changed must be seen to:
      // others use the batch too.
      if (count > 0) batch.acceptReceived(count, this.#isDualStack);
      batch.prepareReceive();
      this.#release();
      return ok(0);
    }
    // The reason of a failure is lost on the other thread; asking again without waiting finds it,
    // or what has come.
    if (count < 0) return this.receive(batch);
    batch.acceptReceived(count, this.#isDualStack);
    return ok(count);
  }

  /** Does the same without a thread of its own, because all are taken. */
  async #receiveShared(batch: ServerBatch): Promise<Result<number, OsError>> {
    const waited = await waitShared(this.#fd);
    this.#waiting = false;
    if (this.#closing) {
      this.#release();
      return ok(0);
    }
    if (waited) return this.receive(batch);
    const what = `wait for requests on ${formatSocketAddress(this.#local)}`;
    return err(osError({ call: "epoll_ctl", what, code: ERRNO.ENOMEM }));
  }

  /**
   * Sends the responses that are queued in the batch, without waiting, and returns how many went.
   * One that the system refuses is counted and passed over: its client will ask again. `onRefused`
   * is called with the place in the queue of each, before those behind it are sent.
   */
  send(batch: ServerBatch, onRefused?: (position: number, error: OsError) => void): number {
    assert(this.#fd >= 0, "A closed socket is not used");
    const { queued, responseHeads } = batch;
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    let sent = 0, refused = 0;
    while (sent + refused < queued) {
      const done = sent + refused;
      const { bytes } = responseHeads;
      const heads = done === 0 ? bytes : bytes.subarray(MMSGHDR.sizeof * done);
      const count = libc().sendmmsg(this.#fd, heads, queued - done, flags);
      if (count > 0) {
        sent += count;
        continue;
      }
      const error = this.#refused(lastErrno());
      onRefused?.(done, error);
      refused++;
    }
    batch.clearResponses();
    return sent;
  }

  /**
   * Makes the kernel ready to timestamp and number responses that are sent with `timestamp`; before
   * the first of them is sent. Receive timestamps go on, in a form that costs a little more.
   */
  allowTransmitTimestamps(): void {
    assert(this.#fd >= 0, "A closed socket is not used");
    if (this.#givesTransmitTimestamps) return;
    this.#givesTransmitTimestamps = true;
    this.#setTimestamping(TIMESTAMPS | SOF_TIMESTAMPING_OPT_ID);
    setIntegerOption(this.#fd, { level: SOL_SOCKET, name: SO_TIMESTAMPNS, value: 0 });
  }

  /**
   * Makes the kernel number timestamped responses from 0 again; when a send failed, its count and
   * ours may differ.
   */
  restartTransmitTimestamps(): void {
    if (!this.#givesTransmitTimestamps) return;
    this.#setTimestamping(TIMESTAMPS);
    this.#setTimestamping(TIMESTAMPS | SOF_TIMESTAMPING_OPT_ID);
  }

  /**
   * Takes the timestamps of responses that were sent with `timestamp`, without waiting; returns how
   * many there are in `timestamps`. To be called until it returns 0.
   */
  receiveTransmitTimestamps(): number {
    assert(this.#fd >= 0, "A closed socket is not used");
    return this.#timestamps.receive(this.#fd);
  }

  /** The timestamps that `receiveTransmitTimestamps` took. */
  get timestamps(): TransmitTimestamps {
    return this.#timestamps;
  }

  /**
   * Sends a datagram to the peer of request `index` beside the responses of the batch; one that the
   * network refuses is lost.
   */
  sendBeside(batch: ServerBatch, { index, octets }: {
    readonly index: number;
    readonly octets: Bytes;
  }): void {
    if (this.#fd < 0) return;
    const head = batch.layOutBeside(index, octets);
    libc().sendmmsg(this.#fd, head, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  /** Closes the socket; a pending background receive ends at once with 0. May be called twice. */
  close(): void {
    if (this.#closing || this.#fd < 0) return;
    this.#closing = true;
    if (this.#waiting) libc().shutdown(this.#fd, SHUT_RD);
    else this.#release();
  }

  #setTimestamping(value: number): void {
    setIntegerOption(this.#fd, { level: SOL_SOCKET, name: SO_TIMESTAMPING, value });
  }

  #release(): void {
    closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  #nothing(): Result<number, OsError> {
    const code = lastErrno();
    if (code === ERRNO.EAGAIN || code === ERRNO.EINTR) return ok(0);
    const what = `receive on ${formatSocketAddress(this.#local)}`;
    return err(osError({ call: "recvmmsg", what, code }));
  }

  #refused(code: number): OsError {
    this.#sendFailures++;
    const what = `answer from ${formatSocketAddress(this.#local)}`;
    const last = this.#lastSendError;
    const error = last?.code === code ? last : osError({ call: "sendmmsg", what, code });
    this.#lastSendError = error;
    return error;
  }
}
