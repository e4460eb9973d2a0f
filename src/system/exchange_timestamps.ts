/**
 * Which stamps an exchange is measured with: both of the network interface, or both of the kernel or of this program.
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
import type { StampPair } from "./hardware_timestamps.ts";

/** The stamps of an exchange, as an event tells them. */
export type ExchangeStamps = Pick<
  DatagramEvent,
  "transmitTimestamp" | "transmitTimestamping" | "receiveTimestamp" | "receiveTimestamping"
>;

/** When a request left, as far as it is known when the answer comes. */
export interface Departure {
  /** The kernel's stamp, or the time read before sending. */
  transmitTimestamp: NtpTimestamp;
  /** Which of the two. */
  transmitTimestamping: Timestamping;
  /** The interface's stamp in real time, if it has come. */
  hardwareTransmitTimestamp: NtpTimestamp | undefined;
}

/** What `ReceivedDatagram` says of time. */
export type Arrival = Pick<
  ReceivedDatagram,
  "receiveTimestamp" | "timestampKind" | "kernelTimestamp"
>;

/** Notes a transmit stamp. Both may come, the kernel's and the interface's, in either order. */
export function noteDeparture(
  departure: Departure,
  stamp: { readonly transmitTimestamp: UnixNanoseconds; readonly timestampKind: Timestamping },
): void {
  const time = fromUnixNanoseconds(stamp.transmitTimestamp);
  if (stamp.timestampKind === "hardware") {
    departure.hardwareTransmitTimestamp = time;
  } else {
    departure.transmitTimestamp = time;
    departure.transmitTimestamping = stamp.timestampKind;
  }
}

/**
 * Chooses the stamps of an exchange. `believes` is asked only when the socket was to get the interface's stamps; `now` stands
 * in for a kernel's stamp that is missing.
 */
export function chooseStamps(
  departure: Departure,
  arrival: Arrival,
  judge: {
    readonly believes:
      | ((exchange: { readonly transmit: StampPair; readonly receive: StampPair }) => boolean)
      | undefined;
    readonly now: () => UnixNanoseconds;
  },
): ExchangeStamps {
  const { transmitTimestamp, transmitTimestamping, hardwareTransmitTimestamp } = departure;
  const best = fromUnixNanoseconds(arrival.receiveTimestamp);
  const isHardware = arrival.timestampKind === "hardware";
  const software = softwareArrival(arrival, judge.now);
  const plain = { transmitTimestamp, transmitTimestamping, ...software };
  const isBelieved = judge.believes?.({
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
): Pick<ExchangeStamps, "receiveTimestamp" | "receiveTimestamping"> {
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
