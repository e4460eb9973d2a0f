/**
 * The control messages (cmsg(3)) that come with a datagram or an entry of the error queue, and
 * those that go with one.
 *
 * The idea: one walk for all who read control data. It looks at words of 32 bits, because the
 * kernel aligns everything here to eight octets, and it is an object that is made once for each
 * buffer and moved along, so that it allocates nothing for a packet. Limits: little-endian
 * machines; a length that does not fit ends the walk.
 *
 * @module
 */
import { NANOSECONDS_PER_SECOND } from "../../src/base/units.ts";
import {
  CMSGHDR,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  SO_TIMESTAMPING,
  SOL_SOCKET,
} from "../headers/socket.ts";
import { TIMESPEC } from "../headers/time.ts";
import { SCM_TIMESTAMPING, SOCK_EXTENDED_ERR } from "../headers/timestamping.ts";
import type { Memory } from "../memory.ts";

/** An entry of the error queue as the kernel describes it (`struct sock_extended_err`). */
export interface ExtendedError {
  /** `ee_errno`: the error number. */
  readonly code: number;
  /** `ee_origin`: where it comes from, one of `SO_EE_ORIGIN_`. */
  readonly origin: number;
  /** `ee_data`: for a timestamp the number of the send. */
  readonly data: number;
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

const ALIGNMENT = 8;
const LEN_WORD = CMSGHDR.cmsg_len / 4;
const LEVEL_WORD = CMSGHDR.cmsg_level / 4;
const TYPE_WORD = CMSGHDR.cmsg_type / 4;
const HEAD_WORDS = CMSGHDR.sizeof / 4;

/** Returns `cmsg_len` of a message with so many octets of data (`CMSG_LEN`). */
export function controlMessageLength(dataLength: number): number {
  return CMSGHDR.sizeof + dataLength;
}

/** Returns how much room a message with so many octets of data takes (`CMSG_SPACE`). */
export function controlMessageSpace(dataLength: number): number {
  return CMSGHDR.sizeof + align(dataLength);
}

/** A walk over the control messages of one datagram after the other, in the same memory. */
export class ControlMessages {
  /** `cmsg_level` of the message at hand. */
  level = 0;
  /** `cmsg_type` of the message at hand. */
  type = 0;
  /** Where the data of the message at hand begin, in words of the memory. */
  data = 0;
  /** How many octets of data the message at hand has. */
  dataLength = 0;
  readonly #words: Int32Array<ArrayBuffer>;
  #at = 0;
  #end = 0;

  /** Takes the memory that the kernel writes control data into. */
  constructor(control: Memory) {
    this.#words = control.words;
  }

  /** Begins with the message at octet `offset`, where the kernel has written `length` octets. */
  start(offset: number, length: number): void {
    this.#at = offset >>> 2;
    this.#end = this.#at + (length >>> 2);
  }

  /** Goes to the next message; false when there is none, or it does not fit. */
  next(): boolean {
    const at = this.#at, words = this.#words;
    if (at + HEAD_WORDS > this.#end) return false;
    const length = words[at + LEN_WORD] ?? 0;
    if (length < CMSGHDR.sizeof || at + (length >>> 2) > this.#end) return false;
    this.level = words[at + LEVEL_WORD] ?? 0;
    this.type = words[at + TYPE_WORD] ?? 0;
    this.data = at + HEAD_WORDS;
    this.dataLength = length - CMSGHDR.sizeof;
    this.#at = at + (align(length) >>> 2);
    return true;
  }
}

/** Whether a message is an entry of the error queue: a `struct sock_extended_err`. */
export function isExtendedError({ level, type }: ControlMessages): boolean {
  return (level === IPPROTO_IP && type === IP_RECVERR) ||
    (level === IPPROTO_IPV6 && type === IPV6_RECVERR);
}

/**
 * Reads the messages of one datagram, whose walk was started, into `out`, which is cleared first.
 */
export function readControlData(
  messages: ControlMessages,
  view: DataView<ArrayBuffer>,
  out: ControlData,
): void {
  out.softwareNanoseconds = 0n;
  out.hardwareNanoseconds = 0n;
  delete out.error;
  while (messages.next()) {
    const data = 4 * messages.data, { level, type, dataLength } = messages;
    if (level === SOL_SOCKET && type === SO_TIMESTAMPING && dataLength >= SCM_TIMESTAMPING.sizeof) {
      out.softwareNanoseconds = readTimespec(view, data + SCM_TIMESTAMPING["ts[0]"]);
      out.hardwareNanoseconds = readTimespec(view, data + SCM_TIMESTAMPING["ts[2]"]);
    } else if (isExtendedError(messages) && dataLength >= SOCK_EXTENDED_ERR.sizeof) {
      out.error = readExtendedError(view, data);
    }
  }
}

function readExtendedError(view: DataView, at: number): ExtendedError {
  return {
    code: view.getUint32(at + SOCK_EXTENDED_ERR.ee_errno, true),
    origin: view.getUint8(at + SOCK_EXTENDED_ERR.ee_origin),
    data: view.getUint32(at + SOCK_EXTENDED_ERR.ee_data, true),
  };
}

function readTimespec(view: DataView, at: number): bigint {
  return view.getBigInt64(at + TIMESPEC.tv_sec, true) * NANOSECONDS_PER_SECOND +
    view.getBigInt64(at + TIMESPEC.tv_nsec, true);
}

function align(length: number): number {
  return (length + ALIGNMENT - 1) & -ALIGNMENT;
}
