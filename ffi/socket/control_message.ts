/**
 * The control data (cmsg) that comes with a datagram or from the error queue: timestamps and errors.
 *
 * The idea: one walk over the buffer fills one object that is used again for the next datagram. Limits: what is not known
 * here is passed over; a length that does not fit ends the walk.
 *
 * @module
 */
import type { SocketAddress } from "../../src/base/socket_address.ts";
import { NANOSECONDS_PER_SECOND } from "../../src/base/units.ts";
import type { Memory } from "../memory.ts";
import { decodeSockaddr } from "./sockaddr.ts";
import { IP_OPTION, IPV6_OPTION, LEVEL, SOCKET_OPTION } from "./socket_option.ts";

/** An entry of the error queue as the kernel describes it (`sock_extended_err`). */
export interface ExtendedError {
  /** The error number. */
  readonly code: number;
  /** Who made it: 1 this host, 2 ICMP, 3 ICMPv6, 4 a timestamp. */
  readonly origin: number;
  /** For a timestamp: 0 when it was taken on sending. For an ICMP error: the MTU, if that was it. */
  readonly info: number;
  /** For a timestamp: the number of the send. */
  readonly data: number;
  /** Who reported the error, for ICMP; its port is 0. */
  readonly offender?: SocketAddress;
}

/** What the control data of one message said. */
export interface ControlData {
  /** The kernel's timestamp in nanoseconds since 1970; zero when there is none. */
  softwareNanoseconds: bigint;
  /** The interface's timestamp in nanoseconds of its own clock; zero when there is none. */
  hardwareNanoseconds: bigint;
  /** The entry of the error queue, if the message came from there. */
  error?: ExtendedError;
}

/** Where data begins after the head of a control message. */
export const CONTROL_HEAD = 16;

const ORIGIN_ICMP = 2;
const ORIGIN_ICMP6 = 3;

/** Reads the first `length` octets of `control` into `out`, which is cleared first. */
export function readControlData(control: Memory, length: number, out: ControlData): void {
  out.softwareNanoseconds = 0n;
  out.hardwareNanoseconds = 0n;
  delete out.error;
  const { view } = control;
  let at = 0;
  while (at + CONTROL_HEAD <= length) {
    const size = view.getUint32(at, true);
    if (size < CONTROL_HEAD || at + size > length) return;
    readOne(view, at, size, out);
    at += (size + 7) & ~7;
  }
}

function readOne(view: DataView, at: number, size: number, out: ControlData): void {
  const level = view.getInt32(at + 8, true), type = view.getInt32(at + 12, true);
  const data = at + CONTROL_HEAD, room = size - CONTROL_HEAD;
  if (level === LEVEL.socket && type === SOCKET_OPTION.timestamping && room >= 48) {
    out.softwareNanoseconds = readTimespec(view, data);
    out.hardwareNanoseconds = readTimespec(view, data + 32);
  } else if (isErrorMessage(level, type) && room >= 16) {
    out.error = readExtendedError(view, data, room);
  }
}

function isErrorMessage(level: number, type: number): boolean {
  return (level === LEVEL.ip && type === IP_OPTION.receiveErrors) ||
    (level === LEVEL.ipv6 && type === IPV6_OPTION.receiveErrors);
}

function readExtendedError(view: DataView, data: number, room: number): ExtendedError {
  const origin = view.getUint8(data + 4);
  const isIcmp = origin === ORIGIN_ICMP || origin === ORIGIN_ICMP6;
  const offender = isIcmp && room >= 32 ? readOffender(view, data + 16, room - 16) : undefined;
  return {
    code: view.getUint32(data, true),
    origin,
    info: view.getUint32(data + 8, true),
    data: view.getUint32(data + 12, true),
    ...(offender === undefined ? {} : { offender }),
  };
}

function readOffender(view: DataView, at: number, room: number): SocketAddress | undefined {
  const wanted = view.getUint16(at, true) === 2 ? 16 : 28;
  return room >= wanted ? decodeSockaddr(view, at) : undefined;
}

function readTimespec(view: DataView, at: number): bigint {
  return view.getBigInt64(at, true) * NANOSECONDS_PER_SECOND + view.getBigInt64(at + 8, true);
}
