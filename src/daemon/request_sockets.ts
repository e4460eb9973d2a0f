/**
 * The client's sockets: sends each request from a socket of its own, and turns what arrives into events.
 *
 * The kernel's transmit stamp comes through the socket's error queue, mostly before the answer does; it is kept with the
 * request and handed over with the answer. Without it, the time read just before sending is used, and said so. Limits: at
 * most `OPEN_MAX` requests wait at a time; the oldest gives way.
 *
 * @module
 */
import type { DatagramEvent, Event, SendAction } from "../engine/events.ts";
import type { Timestamping } from "../association/measurement.ts";
import {
  fromUnixNanoseconds,
  type NtpTimestamp,
  type UnixNanoseconds,
} from "../base/ntp_timestamp.ts";
import { realtimeNow } from "../../ffi/clock.ts";
import type { Poller, ReadyDescriptor } from "../../ffi/poller.ts";
import { UdpSocket } from "../../ffi/socket.ts";

const OPEN_MAX = 256;
/** So many datagrams are taken from one socket before others have their turn. */
const DATAGRAMS_PER_TURN = 8;

interface OpenRequest {
  readonly association: number;
  readonly request: number;
  readonly socket: UdpSocket;
  readonly transmitId: number;
  transmitTimestamp: NtpTimestamp;
  transmitTimestamping: Timestamping;
}

/** The sockets of requests that wait for an answer. */
export class RequestSockets {
  readonly #poller: Poller;
  readonly #byRequest = new Map<number, OpenRequest>();
  readonly #byDescriptor = new Map<number, OpenRequest>();

  /** Sockets are added to `poller` while they wait; closing the poller is its owner's affair. */
  constructor(poller: Poller) {
    this.#poller = poller;
  }

  /** Sends a request; returns the event that says so when it could not be sent. */
  send(action: SendAction): Event | undefined {
    if (this.#byRequest.size >= OPEN_MAX) this.#closeOldest();
    const opened = UdpSocket.open({ peer: action.destination });
    if (!opened.ok) return failure(action, opened.error.message);
    const socket = opened.value;
    const before = realtimeNow();
    const sent = socket.send(action.packet);
    const added = sent.ok ? this.#poller.add(socket.fd) : sent;
    if (!sent.ok || !added.ok) {
      socket.close();
      return failure(action, sent.ok ? "The socket cannot be watched" : sent.error.message);
    }
    const open: OpenRequest = {
      association: action.association,
      request: action.request,
      socket,
      transmitId: sent.value,
      transmitTimestamp: fromUnixNanoseconds(before),
      transmitTimestamping: "user",
    };
    this.#byRequest.set(action.request, open);
    this.#byDescriptor.set(socket.fd, open);
    return undefined;
  }

  /** Gives up a request's socket; harmless when it is gone already. */
  close(request: number): void {
    const open = this.#byRequest.get(request);
    if (open === undefined) return;
    this.#byRequest.delete(request);
    this.#byDescriptor.delete(open.socket.fd);
    this.#poller.remove(open.socket.fd);
    open.socket.close();
  }

  /** Gives up all sockets. */
  closeAll(): void {
    for (const request of [...this.#byRequest.keys()]) this.close(request);
  }

  /** Reads what is ready at a descriptor, and hands each event over as soon as it is read. */
  read(ready: ReadyDescriptor, deliver: (event: Event) => void): void {
    const open = this.#byDescriptor.get(ready.fd);
    if (open === undefined) return;
    this.#readQueue(open, deliver);
    for (let i = 0; i < DATAGRAMS_PER_TURN; i++) {
      if (this.#byRequest.get(open.request) !== open) return;
      const received = open.socket.receive();
      if (!received.ok) {
        deliver(failure(open, received.error.message));
        return;
      }
      if (received.value === undefined) return;
      const { bytes, receiveTimestamp, timestampKind } = received.value;
      deliver(datagram(open, { bytes, at: receiveTimestamp, kind: timestampKind }));
    }
  }

  #readQueue(open: OpenRequest, deliver: (event: Event) => void): void {
    for (let i = 0; i < DATAGRAMS_PER_TURN; i++) {
      const entry = open.socket.readQueue();
      if (!entry.ok || entry.value === undefined) return;
      if (entry.value.type === "error") {
        deliver(failure(open, entry.value.error.message));
        if (this.#byRequest.get(open.request) !== open) return;
      } else if (entry.value.transmitId === open.transmitId) {
        open.transmitTimestamp = fromUnixNanoseconds(entry.value.transmitTimestamp);
        open.transmitTimestamping = entry.value.timestampKind;
      }
    }
  }

  #closeOldest(): void {
    for (const request of this.#byRequest.keys()) {
      this.close(request);
      return;
    }
  }
}

function datagram(
  open: OpenRequest,
  received: {
    readonly bytes: Uint8Array;
    readonly at: UnixNanoseconds;
    readonly kind: Timestamping;
  },
): DatagramEvent {
  return {
    type: "datagram",
    association: open.association,
    request: open.request,
    packet: received.bytes,
    transmitTimestamp: open.transmitTimestamp,
    transmitTimestamping: open.transmitTimestamping,
    receiveTimestamp: fromUnixNanoseconds(received.at),
    receiveTimestamping: received.kind,
  };
}

function failure(
  about: { readonly association: number; readonly request: number },
  reason: string,
): Event {
  return { type: "send-failed", association: about.association, request: about.request, reason };
}
