/**
 * A request of the simulated machine that is under way, and what the engine is told of its end.
 *
 * @module
 */
import type { NtpTimestamp } from "../base/ntp_timestamp.ts";
import type { Event, SendAction } from "../engine/events.ts";
import type { MachineModel } from "./scenario/clock.ts";

/** A request that is under way. */
export interface Exchange {
  /** What the engine has sent. */
  readonly send: SendAction;
  /** When, by the clock of the machine. */
  readonly transmitTimestamp: NtpTimestamp;
}

/** What comes with a packet. */
export interface Reception {
  /** The packet. */
  readonly packet: Uint8Array;
  /** When it came, by the clock of the machine. */
  readonly timestamp: NtpTimestamp;
  /** What the timestamps of both packets are called. */
  readonly timestamping: MachineModel["timestamping"];
}

/** Returns the event for a response that has arrived. */
export function received(
  { send, transmitTimestamp }: Exchange,
  { packet, timestamp, timestamping }: Reception,
): Event {
  return {
    type: "datagram",
    association: send.association,
    request: send.request,
    packet,
    transmitTimestamp,
    transmitTimestamping: timestamping,
    receiveTimestamp: timestamp,
    receiveTimestamping: timestamping,
  };
}

/** Returns the event for a request that could not be sent, or was refused by the other host. */
export function sendFailed(
  { send: { association, request } }: Exchange,
  failure: { readonly reason: string; readonly isLocal: boolean },
): Event {
  return { type: "send-failed", association, request, ...failure };
}
