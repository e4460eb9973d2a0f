/**
 * Transmit timestamps of many datagrams, taken from a socket's error queue in one call.
 *
 * The idea: the kernel numbers the datagrams whose sending is to be timestamped, from 0; each timestamp comes back with its number,
 * in whatever order. Limits: timestamps arrive some microseconds after the send, or never; `receive` takes at most
 * `TIMESTAMPS_MAX` at a time.
 *
 * @module
 */
import { UNIX_EPOCH_IN_NTP_SECONDS } from "../../src/base/epoch.ts";
import { libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import { IP_OPTION, IPV6_OPTION, LEVEL, MESSAGE, SOCKET_OPTION } from "./socket_option.ts";

/** The most timestamps that one call takes. */
export const TIMESTAMPS_MAX = 64;

const HEAD_SIZE = 64;
const CONTROL_SIZE = 192;
const ORIGIN_TIMESTAMPING = 4;
const FRACTION_PER_NANOSECOND = 4.294_967_296;

/** Timestamps as typed arrays, valid until the next `receive`. */
export class TransmitTimestamps {
  /** The number of each timestamped datagram, counted from 0 by those for which a timestamp was asked; modulo 2^32. */
  readonly ids: Uint32Array<ArrayBuffer> = new Uint32Array(TIMESTAMPS_MAX);
  /** The time of each sending as an NTP timestamp: seconds at `2 * i`, fraction at `2 * i + 1`. */
  readonly timestamps: Uint32Array<ArrayBuffer> = new Uint32Array(2 * TIMESTAMPS_MAX);

  readonly #heads = allocate(TIMESTAMPS_MAX * HEAD_SIZE);
  readonly #control = allocate(TIMESTAMPS_MAX * CONTROL_SIZE);

  /** Lays out the buffers. */
  constructor() {
    for (let i = 0; i < TIMESTAMPS_MAX; i++) {
      const control = this.#control.address + BigInt(i * CONTROL_SIZE);
      this.#heads.view.setBigUint64(i * HEAD_SIZE + 32, control, true);
    }
  }

  /** Takes what is in the error queue of a socket, without waiting, and returns the number of timestamps. */
  receive(fd: number): number {
    const { words } = this.#heads;
    for (let i = 0; i < TIMESTAMPS_MAX; i++) words[i * (HEAD_SIZE / 4) + 10] = CONTROL_SIZE;
    const flags = MESSAGE.dontWait | MESSAGE.errorQueue;
    const count = libc().recvmmsg(fd, this.#heads.bytes, TIMESTAMPS_MAX, flags, null);
    let timestamps = 0;
    for (let i = 0; i < count; i++) {
      const length = words[i * (HEAD_SIZE / 4) + 10] ?? 0;
      if (this.#read(i, length, timestamps)) timestamps++;
    }
    return timestamps;
  }

  /** Reads the control data of entry `i` into place `out`; false when it is no timestamp. */
  #read(i: number, length: number, out: number): boolean {
    const { words } = this.#control;
    const start = i * (CONTROL_SIZE / 4), end = start + Math.min(length, CONTROL_SIZE) / 4;
    let seconds = 0, nanoseconds = 0, numbered = false;
    for (let at = start; at + 4 <= end;) {
      const size = words[at] ?? 0, level = words[at + 2], type = words[at + 3];
      if (size < 16) break;
      if (level === LEVEL.socket && type === SOCKET_OPTION.timestamping) {
        seconds = words[at + 4] ?? 0;
        nanoseconds = words[at + 6] ?? 0;
      } else if (
        (level === LEVEL.ip && type === IP_OPTION.receiveErrors) ||
        (level === LEVEL.ipv6 && type === IPV6_OPTION.receiveErrors)
      ) {
        numbered = ((words[at + 5] ?? 0) & 0xff) === ORIGIN_TIMESTAMPING;
        this.ids[out] = words[at + 7] ?? 0;
      }
      at += ((size + 7) & ~7) / 4;
    }
    if (!numbered || (seconds === 0 && nanoseconds === 0)) return false;
    this.timestamps[2 * out] = seconds + UNIX_EPOCH_IN_NTP_SECONDS;
    this.timestamps[2 * out + 1] = nanoseconds * FRACTION_PER_NANOSECOND;
    return true;
  }
}
