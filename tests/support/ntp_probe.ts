/**
 * One plain NTP exchange, written apart from the product, so that tests can look at a server
 * without trusting the code under test.
 *
 * Limits: user-space timestamps, so offsets are good to about a millisecond on a busy machine.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { PATIENCE_MS } from "./wait_until.ts";

/** What a server answered. */
export interface ProbeResponse {
  /** The leap indicator, 0 to 3. */
  readonly leap: number;
  /** The version, 0 to 7. */
  readonly version: number;
  /** The mode, 4 for a server. */
  readonly mode: number;
  /** The stratum, 0 to 255. */
  readonly stratum: number;
  /** The reference id as a 32-bit number. */
  readonly referenceId: number;
  /** Offset of the server from this machine's clock; positive when the server is ahead. */
  readonly offsetSeconds: number;
  /** Round trip; the offset is wrong by half of it at most. */
  readonly delaySeconds: number;
  /** Octets of the answer. */
  readonly length: number;
}

/** Where to ask, and how long to wait. */
export interface ProbeOptions {
  /** The UDP port. */
  readonly port: number;
  /** Milliseconds to wait for the answer; a minute unless given. */
  readonly timeoutMs?: number;
}

/** Asks once; undefined when no answer to this question comes in time. */
export async function probe(
  address: string,
  options: ProbeOptions,
): Promise<ProbeResponse | undefined> {
  const request = new Uint8Array(48);
  request[0] = 0x23; // leap 0, version 4, mode 3
  crypto.getRandomValues(request.subarray(40, 48));
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  try {
    return await new Promise<ProbeResponse | undefined>((resolve) => {
      const timer = setTimeout(() => finish(undefined), options.timeoutMs ?? PATIENCE_MS);
      const finish = (answer: ProbeResponse | undefined) => {
        clearTimeout(timer);
        resolve(answer);
      };
      const sent = unixSeconds();
      socket.on("error", () => finish(undefined));
      socket.on("message", (answer) => {
        const received = unixSeconds();
        if (isResponseTo(request, answer)) finish(read(answer, { sent, received }));
      });
      socket.send(request, options.port, address);
    });
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

/** Seconds of the Unix epoch, with the resolution that performance.now() has. */
export function unixSeconds(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}

/** Seconds from the NTP epoch (1900) to the Unix epoch (1970). */
export const UNIX_EPOCH_IN_NTP_SECONDS = 2_208_988_800;

function isResponseTo(request: Uint8Array, answer: Uint8Array): boolean {
  if (answer.length < 48) return false;
  return request.subarray(40, 48).every((octet, index) => answer[24 + index] === octet);
}

function read(answer: Uint8Array, times: { sent: number; received: number }): ProbeResponse {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  const timestamp = (at: number) =>
    view.getUint32(at) - UNIX_EPOCH_IN_NTP_SECONDS + view.getUint32(at + 4) / 2 ** 32;
  const first = view.getUint8(0);
  return {
    leap: first >> 6,
    version: (first >> 3) & 7,
    mode: first & 7,
    stratum: view.getUint8(1),
    referenceId: view.getUint32(12),
    offsetSeconds: (timestamp(32) - times.sent + (timestamp(40) - times.received)) / 2,
    delaySeconds: times.received - times.sent - (timestamp(40) - timestamp(32)),
    length: answer.length,
  };
}
