/**
 * UDP sockets of the client side: short-lived, connected, with the kernel's timestamps of what is
 * sent and received.
 *
 * The idea: each request has a socket of its own on a port that cannot be guessed (RFC 9109),
 * connected to the server, so that the kernel refuses other senders and reports ICMP errors.
 * Reading never waits; a `Poller` says when there is something. Limits: a datagram is copied out of
 * one shared buffer; datagrams beyond `DATAGRAM_MAX` octets are cut.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { UnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { formatSocketAddress, type SocketAddress } from "../../src/base/socket_address.ts";
import { realtimeNow } from "../clock/clock.ts";
import { closeDescriptor } from "../descriptor.ts";
import { ERRNO, failed, type OsError, osError } from "../errno.ts";
import {
  IOVEC,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  MSGHDR,
} from "../headers/socket.ts";
import { SO_EE_ORIGIN_TIMESTAMPING } from "../headers/timestamping.ts";
import { lastErrno, libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import {
  type ControlData,
  ControlMessages,
  type ExtendedError,
  readControlData,
} from "./control_message.ts";
import {
  bindSocket,
  connectSocket,
  openDatagramSocket,
  socketLocalAddress,
} from "./datagram_socket.ts";
import { writeMessageHead, writeVector } from "./msghdr.ts";
import { decodeSockaddr, SOCKADDR_SIZE } from "./sockaddr.ts";
import { bindToDevice, setIntegerOption } from "./socket_option.ts";
import { enableTimestamping } from "./timestamping.ts";

/**
 * Where a timestamp was taken: by the interface, by the kernel, or by this program when it got to
 * it.
 */
export type TimestampKind = "hardware" | "kernel" | "user";

/** Converts timestamps of an interface's own clock to real time. */
export interface HardwareClock {
  /**
   * Returns real time for a reading of the hardware clock; undefined while the relation is not
   * known well enough.
   */
  toRealtime(hardwareNanoseconds: bigint): UnixNanoseconds | undefined;
}

/** How to open a client socket. */
export interface UdpSocketOptions {
  /** The server. */
  readonly peer: SocketAddress;
  /** The local address; any, with a random port, when left out. */
  readonly local?: SocketAddress;
  /** The network interface to use. */
  readonly device?: string;
  /** Whether to ask the kernel for timestamps; true when left out. */
  readonly kernelTimestamps?: boolean;
  /**
   * Asks for hardware timestamps as well, and converts them; only with `device`, whose clock it is.
   */
  readonly hardwareClock?: HardwareClock;
}

/** A datagram with the time at which it arrived. */
export interface ReceivedDatagram {
  /** The payload, a copy. */
  readonly bytes: Bytes;
  /** The sender. */
  readonly source: SocketAddress;
  /** When it arrived. */
  readonly receiveTimestamp: UnixNanoseconds;
  /** Where that time was taken. */
  readonly timestampKind: TimestampKind;
  /**
   * The kernel's timestamp, beside that of the interface if there is one; undefined when the kernel
   * made none.
   */
  readonly kernelTimestamp?: UnixNanoseconds;
}

/** An entry of a socket's error queue. */
export type QueueEvent =
  | {
    readonly type: "transmitted";
    /** The number that `send` returned. */
    readonly transmitId: number;
    readonly transmitTimestamp: UnixNanoseconds;
    readonly timestampKind: TimestampKind;
  }
  | {
    readonly type: "error";
    /** What the network says, such as ECONNREFUSED for a closed port. */
    readonly error: OsError;
  };

/** The longest payload that is received whole. */
export const DATAGRAM_MAX = 2048;

const CONTROL_SIZE = 512n;
const TIMESTAMPS_APART_MAX = 100_000_000n;

const payload = allocate(DATAGRAM_MAX);
const name = allocate(SOCKADDR_SIZE);
const control = allocate(Number(CONTROL_SIZE));
const messages = new ControlMessages(control);
const vector = allocate(IOVEC.sizeof);
const message = allocate(MSGHDR.sizeof);
const controlData: ControlData = { softwareNanoseconds: 0n, hardwareNanoseconds: 0n };
let areAddressesWritten = false;

/** A UDP socket connected to one server. Every method returns at once. */
export class UdpSocket {
  readonly #peer: SocketAddress;
  readonly #hardwareClock: HardwareClock | undefined;
  readonly #timestamped: boolean;
  #fd: number;
  #nextId = 0;

  private constructor(fd: number, options: UdpSocketOptions) {
    this.#fd = fd;
    this.#peer = options.peer;
    this.#hardwareClock = options.hardwareClock;
    this.#timestamped = options.kernelTimestamps ?? true;
  }

  /**
   * Opens a socket, binds and connects it; without kernel timestamps if the kernel has none to
   * give.
   */
  static open(options: UdpSocketOptions): Result<UdpSocket, OsError> {
    const tied = options.hardwareClock === undefined || options.device !== undefined;
    assert(tied, "A timestamp does not say which interface made it");
    const opened = openDatagramSocket(options.peer.family, true);
    if (!opened.ok) return opened;
    const prepared = prepare(opened.value, options);
    if (prepared.ok) return ok(new UdpSocket(opened.value, options));
    closeDescriptor(opened.value);
    return prepared;
  }

  /** The descriptor, for a `Poller`; -1 after `close`. */
  get fd(): number {
    return this.#fd;
  }

  /** The server that this socket is connected to. */
  get peer(): SocketAddress {
    return this.#peer;
  }

  /** Returns the local address that the kernel chose, with the port. */
  localAddress(): Result<SocketAddress, OsError> {
    return socketLocalAddress(this.#fd);
  }

  /**
   * Sends one datagram and returns its number, by which its transmit timestamp is found in the
   * error queue; counted from 0, and from 0 again after a send that failed.
   */
  send(bytes: Uint8Array<ArrayBuffer>): Result<number, OsError> {
    assert(this.#fd >= 0, "A closed socket is not used");
    const length = BigInt(bytes.length);
    const what = `send to ${formatSocketAddress(this.#peer)}`;
    if (libc().send(this.#fd, bytes, length, MSG_NOSIGNAL) >= 0) return ok(this.#nextId++);
    // An ICMP error of an earlier datagram makes the next call fail, once; `readQueue` reports it,
    // so we go on.
    this.#restartIds();
    if (libc().send(this.#fd, bytes, length, MSG_NOSIGNAL) >= 0) return ok(this.#nextId++);
    const failure = failed({ call: "send", what });
    this.#restartIds();
    return failure;
  }

  /** Takes the next datagram; undefined when there is none. ICMP errors are left to `readQueue`. */
  receive(): Result<ReceivedDatagram | undefined, OsError> {
    assert(this.#fd >= 0, "A closed socket is not used");
    let length = receiveMessage(this.#fd, MSG_DONTWAIT);
    // An ICMP error makes the next call fail, once; it is in the error queue as well.
    if (length < 0) length = receiveMessage(this.#fd, MSG_DONTWAIT);
    if (length < 0) return this.#nothing("receive from");
    const now = realtimeNow();
    readReceivedControl();
    const timestamp = this.#timestamp();
    const { softwareNanoseconds } = controlData;
    const received = Math.min(length, DATAGRAM_MAX);
    return ok({
      bytes: payload.bytes.slice(0, received),
      source: decodeSockaddr(name.view) ?? this.#peer,
      receiveTimestamp: timestamp?.time ?? now,
      timestampKind: timestamp?.kind ?? "user",
      ...(softwareNanoseconds === 0n ? {} : { kernelTimestamp: softwareNanoseconds }),
    });
  }

  /**
   * Takes the next entry of the error queue: a transmit timestamp or an error; undefined when there
   * is none.
   */
  readQueue(): Result<QueueEvent | undefined, OsError> {
    assert(this.#fd >= 0, "A closed socket is not used");
    for (;;) {
      const length = receiveMessage(this.#fd, MSG_DONTWAIT | MSG_ERRQUEUE);
      if (length < 0) return this.#nothing("read the error queue of the socket to");
      readReceivedControl();
      const event = this.#queueEvent(controlData.error);
      if (event !== undefined) return ok(event);
    }
  }

  /** Closes the socket; may be called twice. Remove it from its `Poller` first. */
  close(): void {
    if (this.#fd >= 0) closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  /**
   * Judges an entry; undefined for one that says nothing, such as a timestamp of a clock that
   * cannot be converted.
   */
  #queueEvent(error: ExtendedError | undefined): QueueEvent | undefined {
    if (error === undefined) return undefined;
    if (error.origin === SO_EE_ORIGIN_TIMESTAMPING) {
      const timestamp = this.#timestamp();
      return timestamp && {
        type: "transmitted",
        transmitId: error.data,
        transmitTimestamp: timestamp.time,
        timestampKind: timestamp.kind,
      };
    }
    const what = `reach ${formatSocketAddress(this.#peer)}`;
    return {
      type: "error",
      error: osError({ call: "recvmsg", what, code: error.code }),
    };
  }

  /** Chooses the best of the timestamps that were just read into the control data. */
  #timestamp(): { readonly time: UnixNanoseconds; readonly kind: TimestampKind } | undefined {
    const { hardwareNanoseconds, softwareNanoseconds } = controlData;
    if (hardwareNanoseconds !== 0n) {
      const time = this.#hardwareClock?.toRealtime(hardwareNanoseconds);
      const likely = time !== undefined && isNear(time, softwareNanoseconds);
      if (likely) return { time, kind: "hardware" };
    }
    return softwareNanoseconds === 0n ? undefined : { time: softwareNanoseconds, kind: "kernel" };
  }

  #nothing(what: string): Result<undefined, OsError> {
    const code = lastErrno();
    if (code === ERRNO.EAGAIN || code === ERRNO.EINTR) return ok(undefined);
    return failed({ call: "recvmsg", what: `${what} ${formatSocketAddress(this.#peer)}`, code });
  }

  /**
   * Starts the kernel's count of sends anew, because it may or may not have counted the one that
   * failed.
   */
  #restartIds(): void {
    if (!this.#timestamped) return;
    const hardware = this.#hardwareClock !== undefined;
    enableTimestamping(this.#fd, { transmit: false, hardware });
    enableTimestamping(this.#fd, { transmit: true, hardware });
    this.#nextId = 0;
  }
}

/**
 * Tells whether a converted hardware timestamp agrees with the kernel's, if there is one: a check
 * on the conversion.
 */
function isNear(hardware: UnixNanoseconds, software: UnixNanoseconds): boolean {
  const apart = hardware - software;
  return software === 0n || (apart > -TIMESTAMPS_APART_MAX && apart < TIMESTAMPS_APART_MAX);
}

function prepare(fd: number, options: UdpSocketOptions): Result<void, OsError> {
  const isV4 = options.peer.family === "ipv4";
  if (options.device !== undefined) {
    const bound = bindToDevice(fd, options.device);
    if (!bound.ok) return bound;
  }
  if (options.local !== undefined) {
    const bound = bindSocket(fd, options.local);
    if (!bound.ok) return bound;
  }
  const errors = setIntegerOption(fd, {
    level: isV4 ? IPPROTO_IP : IPPROTO_IPV6,
    name: isV4 ? IP_RECVERR : IPV6_RECVERR,
    value: 1,
  });
  if (!errors.ok) return errors;
  if (options.kernelTimestamps ?? true) {
    // A refusal is not an error: the timestamps are then of kind "user", and status says so.
    enableTimestamping(fd, { transmit: true, hardware: options.hardwareClock !== undefined });
  }
  return connectSocket(fd, options.peer);
}

/**
 * Receives into the shared buffers; the kernel has overwritten the lengths of the last time.
 * Returns -1 on failure.
 */
function receiveMessage(fd: number, flags: number): number {
  if (!areAddressesWritten) writeAddresses();
  message.view.setUint32(MSGHDR.msg_namelen, SOCKADDR_SIZE, true);
  message.view.setBigUint64(MSGHDR.msg_controllen, CONTROL_SIZE, true);
  return libc().recvmsg(fd, message.bytes, flags);
}

/** Writes where the shared buffers lie into the head; they stay there for ever. */
function writeAddresses(): void {
  writeVector(vector, 0, { base: payload.address, length: DATAGRAM_MAX });
  writeMessageHead(message, 0, {
    name: name.address,
    vector: vector.address,
    control: control.address,
  });
  areAddressesWritten = true;
}

/** Reads the control data of what was received last into `controlData`. */
function readReceivedControl(): void {
  messages.start(0, message.view.getUint32(MSGHDR.msg_controllen, true));
  readControlData(messages, control.view, controlData);
}
