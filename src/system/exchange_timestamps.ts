/**
 * Which timestamps an exchange is measured with: both of the network interface, or both of the
 * kernel or of this program.
 *
 * @module
 */
import type { Timestamping } from "../association/measurement.ts";
import {
  fromUnixNanoseconds,
  type NtpTimestamp,
  type UnixNanoseconds,
} from "../base/ntp_timestamp.ts";
import type { DatagramEvent } from "../engine/events.ts";
import type { ReceivedDatagram } from "../../ffi/socket/udp_socket.ts";
import type { TimestampPair } from "./hardware_timestamps.ts";

/** The two timestamps of an exchange that are taken here, as an event tells them. */
export type LocalTimestamps = Pick<
  DatagramEvent,
  "transmitTimestamp" | "transmitTimestamping" | "receiveTimestamp" | "receiveTimestamping"
>;

/** When a request left, as far as it is known when the response comes. */
export interface SentRequest {
  /** The kernel's timestamp, or the time read before sending. */
  transmitTimestamp: NtpTimestamp;
  /** Which of the two. */
  transmitTimestamping: Timestamping;
  /** The interface's timestamp in real time, if it has come. */
  hardwareTransmitTimestamp: NtpTimestamp | undefined;
}

/** What `ReceivedDatagram` says of time. */
export type Arrival = Pick<
  ReceivedDatagram,
  "receiveTimestamp" | "timestampKind" | "kernelTimestamp"
>;

/** Notes a transmit timestamp. Both may come, the kernel's and the interface's, in either order. */
export function noteTransmitTimestamp(
  sent: SentRequest,
  timestamp: { readonly transmitTimestamp: UnixNanoseconds; readonly timestampKind: Timestamping },
): void {
  const time = fromUnixNanoseconds(timestamp.transmitTimestamp);
  if (timestamp.timestampKind === "hardware") {
    sent.hardwareTransmitTimestamp = time;
  } else {
    sent.transmitTimestamp = time;
    sent.transmitTimestamping = timestamp.timestampKind;
  }
}

/** What the choice depends on beside the timestamps themselves. */
export interface TimestampChoice {
  /**
   * Tells whether the interface's timestamps are right; undefined when the socket was not to get
   * any.
   */
  readonly believes:
    | ((
      exchange: { readonly transmit: TimestampPair; readonly receive: TimestampPair },
    ) => boolean)
    | undefined;
  /** Reads the time, which stands in for a kernel's timestamp that is missing. */
  readonly now: () => UnixNanoseconds;
}

/** Chooses the timestamps of an exchange. */
export function chooseTimestamps(
  sent: SentRequest,
  arrival: Arrival,
  { believes, now }: TimestampChoice,
): LocalTimestamps {
  const { transmitTimestamp, transmitTimestamping, hardwareTransmitTimestamp } = sent;
  const best = fromUnixNanoseconds(arrival.receiveTimestamp);
  const isHardware = arrival.timestampKind === "hardware";
  const software = softwareArrival(arrival, now);
  const plain = { transmitTimestamp, transmitTimestamping, ...software };
  const isBelieved = believes?.({
    transmit: { software: transmitTimestamp, hardware: hardwareTransmitTimestamp },
    receive: { software: software.receiveTimestamp, hardware: isHardware ? best : undefined },
  });
  if (isBelieved !== true || hardwareTransmitTimestamp === undefined || !isHardware) return plain;
  return {
    transmitTimestamp: hardwareTransmitTimestamp,
    transmitTimestamping: "hardware",
    receiveTimestamp: best,
    receiveTimestamping: "hardware",
  };
}

function softwareArrival(
  arrival: Arrival,
  now: () => UnixNanoseconds,
): Pick<LocalTimestamps, "receiveTimestamp" | "receiveTimestamping"> {
  const { receiveTimestamp, timestampKind, kernelTimestamp } = arrival;
  if (timestampKind !== "hardware") {
    return {
      receiveTimestamp: fromUnixNanoseconds(receiveTimestamp),
      receiveTimestamping: timestampKind,
    };
  }
  return {
    receiveTimestamp: fromUnixNanoseconds(kernelTimestamp ?? now()),
    receiveTimestamping: kernelTimestamp === undefined ? "user" : "kernel",
  };
}
