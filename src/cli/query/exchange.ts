/**
 * The socket and the wait of one request outside of the daemon.
 *
 * The idea: each datagram that arrives is handed on with its timestamps, as the event that an
 * association takes, until one settles the request; what is believed of it is decided there.
 * Limits: one socket and one wait at a time; the interface's timestamps are not used.
 *
 * @module
 */
import { realtimeNow } from "../../../ffi/clock/clock.ts";
import { Poller } from "../../../ffi/poller.ts";
import { UdpSocket } from "../../../ffi/socket/udp_socket.ts";
import type { DatagramEvent, SendAction } from "../../association/events.ts";
import { fromUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Seconds } from "../../base/units.ts";
import {
  chooseTimestamps,
  noteTransmitTimestamp,
  type SentRequest,
} from "../../system/exchange_timestamps.ts";

/** How the response is awaited. */
export interface ResponseWait<Outcome> {
  /** How long. */
  readonly timeout: Seconds;
  /** Takes a datagram; returns what settles the request, or undefined to wait on. */
  readonly receive: (datagram: DatagramEvent) => Outcome | undefined;
}

/** How long the kernel's timestamp of the request is awaited once a response has come. */
const TIMESTAMP_WAIT: Seconds = 0.005;
/** So many datagrams are taken before the time is looked at again. */
const DATAGRAMS_PER_TURN = 8;

/**
 * Sends a request and waits; undefined when the time is up. The error is a sentence of the system
 * or the network.
 */
export async function exchange<Outcome>(
  request: SendAction,
  wait: ResponseWait<Outcome>,
): Promise<Result<Outcome | undefined, string>> {
  const opened = UdpSocket.open({ peer: request.destination });
  if (!opened.ok) return err(opened.error.message);
  const poller = Poller.open();
  if (!poller.ok) {
    opened.value.close();
    return err(poller.error.message);
  }
  const added = poller.value.add(opened.value.fd);
  try {
    if (!added.ok) return err(added.error.message);
    return await new Exchange({ socket: opened.value, poller: poller.value, wait }).run(request);
  } finally {
    poller.value.close();
    opened.value.close();
  }
}

class Exchange<Outcome> {
  readonly #socket: UdpSocket;
  readonly #poller: Poller;
  readonly #wait: ResponseWait<Outcome>;
  readonly #sent: SentRequest = {
    transmitTimestamp: fromUnixNanoseconds(0n),
    transmitTimestamping: "user",
    hardwareTransmitTimestamp: undefined,
  };
  #transmitId = -1;
  #hasWaited = false;

  constructor(
    { socket, poller, wait }: {
      readonly socket: UdpSocket;
      readonly poller: Poller;
      readonly wait: ResponseWait<Outcome>;
    },
  ) {
    this.#socket = socket;
    this.#poller = poller;
    this.#wait = wait;
  }

  async run(request: SendAction): Promise<Result<Outcome | undefined, string>> {
    this.#sent.transmitTimestamp = fromUnixNanoseconds(realtimeNow());
    const sent = this.#socket.send(request.packet);
    if (!sent.ok) return err(sent.error.message);
    this.#transmitId = sent.value;
    const deadline = performance.now() + this.#wait.timeout * 1000;
    for (;;) {
      const left = (deadline - performance.now()) / 1000;
      if (left <= 0) return ok(undefined);
      const ready = await this.#poller.wait(left);
      if (!ready.ok) return err(ready.error.message);
      const unreachable = this.#readQueue();
      if (unreachable !== undefined) return err(unreachable);
      const received = await this.#receive(request);
      if (!received.ok || received.value !== undefined) return received;
    }
  }

  /**
   * Takes the kernel's timestamp of the request out of the error queue; returns the error that the
   * network reports, if any.
   */
  #readQueue(): string | undefined {
    for (let i = 0; i < DATAGRAMS_PER_TURN; i++) {
      const entry = this.#socket.readQueue();
      if (!entry.ok || entry.value === undefined) return undefined;
      if (entry.value.type === "error") return entry.value.error.message;
      if (entry.value.transmitId === this.#transmitId) {
        noteTransmitTimestamp(this.#sent, entry.value);
      }
    }
    return undefined;
  }

  /** Hands datagrams on until one settles the request; undefined when none does. */
  async #receive(
    { association, request }: SendAction,
  ): Promise<Result<Outcome | undefined, string>> {
    for (let i = 0; i < DATAGRAMS_PER_TURN; i++) {
      const received = this.#socket.receive();
      if (!received.ok) return err(received.error.message);
      if (received.value === undefined) return ok(undefined);
      await this.#awaitTransmitTimestamp();
      const timestamps = chooseTimestamps(this.#sent, received.value, {
        believes: undefined,
        now: realtimeNow,
      });
      const outcome = this.#wait.receive({
        type: "datagram",
        association,
        request,
        packet: received.value.bytes,
        ...timestamps,
      });
      if (outcome !== undefined) return ok(outcome);
    }
    return ok(undefined);
  }

  /** Waits once: a stranger's datagrams must not hold up the true response, each for a while. */
  async #awaitTransmitTimestamp(): Promise<void> {
    if (this.#hasWaited || this.#sent.transmitTimestamping !== "user") return;
    this.#hasWaited = true;
    await this.#poller.wait(TIMESTAMP_WAIT);
    this.#readQueue();
  }
}
