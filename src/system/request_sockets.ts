/**
 * The client's sockets: sends each request from a socket of its own, and turns what arrives into
 * events.
 *
 * The kernel's transmit timestamp comes through the socket's error queue, mostly before the
 * response does; it is kept with the request and handed over with the response. Without it, the
 * time read just before sending is used, and said so. Where the network interface makes timestamps
 * of its own, those are used if `HardwareTimestamps` believes them. Limits: at most `OPEN_MAX`
 * requests wait at a time; the oldest is dropped.
 *
 * @module
 */
import type { DatagramEvent, Event, SendAction, SendFailedEvent } from "../engine/events.ts";
import { fromUnixNanoseconds } from "../base/ntp_timestamp.ts";
import { ok, type Result } from "../base/result.ts";
import { realtimeNow } from "../../ffi/clock/clock.ts";
import { closeDescriptor } from "../../ffi/descriptor.ts";
import type { OsError } from "../../ffi/errno.ts";
import type { Poller, ReadyDescriptor } from "../../ffi/poller.ts";
import { holdTimestamping } from "../../ffi/socket/timestamping.ts";
import { UdpSocket } from "../../ffi/socket/udp_socket.ts";
import {
  chooseTimestamps,
  type LocalTimestamps,
  noteTransmitTimestamp,
  type SentRequest,
} from "./exchange_timestamps.ts";
import { systemHardware } from "./hardware_port.ts";
import { type HardwareChoice, HardwareTimestamps } from "./hardware_timestamps.ts";
import { log } from "./log.ts";

const OPEN_MAX = 256;
/** So many datagrams are taken from one socket before others have their turn. */
const DATAGRAMS_PER_TURN = 8;

interface OpenRequest extends SentRequest {
  readonly association: number;
  readonly request: number;
  readonly socket: UdpSocket;
  readonly transmitId: number;
  /** How the socket gets timestamps of the interface, if it does. */
  readonly hardware: HardwareChoice | undefined;
  isAnswered: boolean;
}

type Exchange = Parameters<HardwareTimestamps["believes"]>[1];

/** The sockets of requests that wait for a response. */
export class RequestSockets {
  readonly #poller: Poller;
  readonly #hardware: HardwareTimestamps;
  readonly #byRequest = new Map<number, OpenRequest>();
  readonly #byDescriptor = new Map<number, OpenRequest>();
  /** Keeps the kernel's timestamps on between requests; undefined while that has not succeeded. */
  #held: number | undefined;

  /** Sockets are added to `poller` while they wait; closing the poller is its owner's affair. */
  constructor(poller: Poller, hardware = new HardwareTimestamps(systemHardware, log.info)) {
    this.#poller = poller;
    this.#hardware = hardware;
  }

  /** How often the kernel's timestamps were used in place of an interface's, by reason. */
  get hardwareFallbacks(): Readonly<Record<string, number>> {
    return this.#hardware.fallbacks;
  }

  /** Sends a request; returns the event that says so when it could not be sent. */
  send(action: SendAction): Event | undefined {
    if (this.#byRequest.size >= OPEN_MAX) this.#closeOldest();
    this.#held ??= heldOrNone();
    const sent = this.#sendFromNewSocket(action);
    if (!sent.ok) return { ...failure(action, sent.error.message), isLocal: true };
    const open = sent.value;
    if (!this.#poller.add(open.socket.fd).ok) {
      open.socket.close();
      return failure(action, "The socket cannot be watched");
    }
    this.#byRequest.set(action.request, open);
    this.#byDescriptor.set(open.socket.fd, open);
    return undefined;
  }

  /** Gives up a request's socket; harmless when it is gone already. */
  close(request: number): void {
    const open = this.#byRequest.get(request);
    if (open === undefined) return;
    this.#byRequest.delete(request);
    this.#byDescriptor.delete(open.socket.fd);
    this.#poller.remove(open.socket.fd);
    if (open.hardware !== undefined) this.#hardware.ended(open.socket.peer, open.isAnswered);
    open.socket.close();
  }

  /** Gives up all sockets, and what is held for the timestamps of interfaces. */
  closeAll(): void {
    for (const request of [...this.#byRequest.keys()]) this.close(request);
    if (this.#held !== undefined) closeDescriptor(this.#held);
    this.#held = undefined;
    this.#hardware.close();
  }

  /**
   * Takes notice that the real-time clock was set: clocks of interfaces stand otherwise to it
   * now.
   */
  clockStepped(): void {
    this.#hardware.clockStepped();
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
      open.isAnswered = true;
      const { hardware } = open;
      const believes = hardware === undefined
        ? undefined
        : (exchange: Exchange) => this.#hardware.believes(hardware, exchange);
      const timestamps = chooseTimestamps(open, received.value, { believes, now: realtimeNow });
      deliver(
        datagram(open, { bytes: received.value.bytes, ...timestamps }),
      );
    }
  }

  /**
   * Sends by an interface that makes timestamps if there is one and it works, else in the plain
   * way.
   */
  #sendFromNewSocket(action: SendAction): Result<OpenRequest, OsError> {
    const hardware = this.#hardware.choose(action.destination, performance.now() / 1000);
    const sent = sendFromNewSocket(action, hardware);
    if (sent.ok || hardware === undefined) return sent;
    this.#hardware.refused(action.destination);
    return sendFromNewSocket(action, undefined);
  }

  #readQueue(open: OpenRequest, deliver: (event: Event) => void): void {
    for (let i = 0; i < DATAGRAMS_PER_TURN; i++) {
      const entry = open.socket.readQueue();
      if (!entry.ok || entry.value === undefined) return;
      if (entry.value.type === "error") {
        deliver(failure(open, entry.value.error.message));
        if (this.#byRequest.get(open.request) !== open) return;
      } else if (entry.value.transmitId === open.transmitId) {
        noteTransmitTimestamp(open, entry.value);
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

function sendFromNewSocket(
  action: SendAction,
  hardware: HardwareChoice | undefined,
): Result<OpenRequest, OsError> {
  const opened = UdpSocket.open({ peer: action.destination, ...hardware });
  if (!opened.ok) return opened;
  const socket = opened.value;
  const before = realtimeNow();
  const sent = socket.send(action.packet);
  if (!sent.ok) {
    socket.close();
    return sent;
  }
  return ok({
    association: action.association,
    request: action.request,
    socket,
    transmitId: sent.value,
    transmitTimestamp: fromUnixNanoseconds(before),
    transmitTimestamping: "user",
    hardware,
    hardwareTransmitTimestamp: undefined,
    isAnswered: false,
  });
}

function datagram(
  open: OpenRequest,
  received: LocalTimestamps & { readonly bytes: Uint8Array },
): DatagramEvent {
  const { bytes, ...timestamps } = received;
  return {
    type: "datagram",
    association: open.association,
    request: open.request,
    packet: bytes,
    ...timestamps,
  };
}

function failure(
  about: { readonly association: number; readonly request: number },
  reason: string,
): SendFailedEvent {
  return { type: "send-failed", association: about.association, request: about.request, reason };
}

/** Holds the kernel's timestamps; what fails is tried again with the next request. */
function heldOrNone(): number | undefined {
  const held = holdTimestamping();
  return held.ok ? held.value : undefined;
}
