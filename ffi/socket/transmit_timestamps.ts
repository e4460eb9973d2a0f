/**
 * Transmit timestamps of many datagrams, taken from a socket's error queue in one call.
 *
 * The idea: the kernel numbers the datagrams whose sending is to be timestamped, from 0; each
 * timestamp comes back with its number, in whatever order. Limits: timestamps arrive some
 * microseconds after the send, or never; `receive` takes at most `TIMESTAMPS_MAX` at a time.
 *
 * @module
 */
import { writeNtpTimestamp } from "../clock/clock.ts";
import {
  MMSGHDR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSGHDR,
  SO_TIMESTAMPING,
  SOL_SOCKET,
} from "../headers/socket.ts";
import { TIMESPEC } from "../headers/time.ts";
import { SO_EE_ORIGIN_TIMESTAMPING, SOCK_EXTENDED_ERR } from "../headers/timestamping.ts";
import { libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import { ControlMessages, isExtendedError } from "./control_message.ts";
import { writeMessageHead } from "./msghdr.ts";

/** The most timestamps that one call takes. */
const TIMESTAMPS_MAX = 64;

const CONTROL_SIZE = 192;

// The places of fields in words of 32 bits.
const HEAD = MMSGHDR.sizeof / 4;
const CONTROLLEN = MSGHDR.msg_controllen / 4;
const TV_SEC = TIMESPEC.tv_sec / 4;
const TV_NSEC = TIMESPEC.tv_nsec / 4;
const EE_ORIGIN = SOCK_EXTENDED_ERR.ee_origin / 4;
const EE_DATA = SOCK_EXTENDED_ERR.ee_data / 4;

/** Timestamps as typed arrays, valid until the next `receive`. */
export class TransmitTimestamps {
  /**
   * The number of each timestamped datagram, counted from 0 by those for which a timestamp was
   * asked; modulo 2^32.
   */
  readonly ids: Uint32Array<ArrayBuffer> = new Uint32Array(TIMESTAMPS_MAX);
  /** The time of each sending as an NTP timestamp: seconds at `2 * i`, fraction at `2 * i + 1`. */
  readonly timestamps: Uint32Array<ArrayBuffer> = new Uint32Array(2 * TIMESTAMPS_MAX);

  readonly #heads = allocate(TIMESTAMPS_MAX * MMSGHDR.sizeof);
  readonly #control = allocate(TIMESTAMPS_MAX * CONTROL_SIZE);
  readonly #messages = new ControlMessages(this.#control);

  /** Lays out the buffers. */
  constructor() {
    for (let i = 0; i < TIMESTAMPS_MAX; i++) {
      const control = this.#control.address + BigInt(i * CONTROL_SIZE);
      writeMessageHead(this.#heads, i * MMSGHDR.sizeof, { control });
    }
  }

  /**
   * Takes what is in the error queue of a socket, without waiting, and returns the number of
   * timestamps.
   */
  receive(fd: number): number {
    const { words } = this.#heads;
    for (let i = 0; i < TIMESTAMPS_MAX; i++) words[i * HEAD + CONTROLLEN] = CONTROL_SIZE;
    const flags = MSG_DONTWAIT | MSG_ERRQUEUE;
    const count = libc().recvmmsg(fd, this.#heads.bytes, TIMESTAMPS_MAX, flags, null);
    let timestamps = 0;
    for (let i = 0; i < count; i++) {
      const length = words[i * HEAD + CONTROLLEN] ?? 0;
      if (this.#read(i, length, timestamps)) timestamps++;
    }
    return timestamps;
  }

  /** Reads the control data of entry `i` into place `out`; false when it is no timestamp. */
  #read(i: number, length: number, out: number): boolean {
    const { words } = this.#control, messages = this.#messages;
    let seconds = 0, nanoseconds = 0, numbered = false;
    messages.start(i * CONTROL_SIZE, Math.min(length, CONTROL_SIZE));
    while (messages.next()) {
      const { level, type, data } = messages;
      if (level === SOL_SOCKET && type === SO_TIMESTAMPING) {
        seconds = words[data + TV_SEC] ?? 0;
        nanoseconds = words[data + TV_NSEC] ?? 0;
      } else if (isExtendedError(messages)) {
        numbered = ((words[data + EE_ORIGIN] ?? 0) & 0xff) === SO_EE_ORIGIN_TIMESTAMPING;
        this.ids[out] = words[data + EE_DATA] ?? 0;
      }
    }
    if (!numbered || (seconds === 0 && nanoseconds === 0)) return false;
    writeNtpTimestamp(this.timestamps, 2 * out, seconds, nanoseconds);
    return true;
  }
}
