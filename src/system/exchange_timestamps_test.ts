import { deepEqual, equal } from "node:assert/strict";
import { fromUnixNanoseconds, ZERO_TIMESTAMP } from "../base/ntp_timestamp.ts";
import {
  chooseTimestamps,
  noteTransmitTimestamp,
  type SentRequest,
} from "./exchange_timestamps.ts";

const T0 = 1_800_000_000_000_000_000n;
const timestamp = (nanoseconds: bigint) => fromUnixNanoseconds(T0 + nanoseconds);

/** Sent at 1 us by the kernel's timestamp, at 4 us by the interface's. */
function sentRequest(): SentRequest {
  const made: SentRequest = {
    transmitTimestamp: ZERO_TIMESTAMP,
    transmitTimestamping: "user",
    hardwareTransmitTimestamp: undefined,
  };
  noteTransmitTimestamp(made, { transmitTimestamp: T0 + 4000n, timestampKind: "hardware" });
  noteTransmitTimestamp(made, { transmitTimestamp: T0 + 1000n, timestampKind: "kernel" });
  return made;
}

const ARRIVED = {
  receiveTimestamp: T0 + 50_000n,
  timestampKind: "hardware",
  kernelTimestamp: T0 + 70_000n,
} as const;
const now = () => T0 + 90_000n;
const KERNEL = {
  transmitTimestamp: timestamp(1000n),
  transmitTimestamping: "kernel",
  receiveTimestamp: timestamp(70_000n),
  receiveTimestamping: "kernel",
};

Deno.test("timestamps of the interface that are believed are used in both directions", () => {
  let asked: unknown;
  const believes = (exchange: unknown) => {
    asked = exchange;
    return true;
  };
  deepEqual(chooseTimestamps(sentRequest(), ARRIVED, { believes, now }), {
    transmitTimestamp: timestamp(4000n),
    transmitTimestamping: "hardware",
    receiveTimestamp: timestamp(50_000n),
    receiveTimestamping: "hardware",
  });
  deepEqual(asked, {
    transmit: { software: timestamp(1000n), hardware: timestamp(4000n) },
    receive: { software: timestamp(70_000n), hardware: timestamp(50_000n) },
  });
});

Deno.test("otherwise those of the kernel are, in both directions", () => {
  deepEqual(chooseTimestamps(sentRequest(), ARRIVED, { believes: () => false, now }), KERNEL);
  const late = { ...sentRequest(), hardwareTransmitTimestamp: undefined };
  deepEqual(chooseTimestamps(late, ARRIVED, { believes: () => true, now }), KERNEL);
  const plain = { receiveTimestamp: T0 + 70_000n, timestampKind: "kernel" } as const;
  deepEqual(chooseTimestamps(sentRequest(), plain, { believes: () => true, now }), KERNEL);
  deepEqual(chooseTimestamps(sentRequest(), plain, { believes: undefined, now }), KERNEL);
});

Deno.test("without a timestamp of the kernel the time is ours, and said to be", () => {
  const { receiveTimestamp, timestampKind } = ARRIVED;
  const found = chooseTimestamps(sentRequest(), { receiveTimestamp, timestampKind }, {
    believes: () => false,
    now,
  });
  equal(found.receiveTimestamping, "user");
  equal(found.receiveTimestamp, timestamp(90_000n));
  const ours = { receiveTimestamp: T0 + 80_000n, timestampKind: "user" } as const;
  equal(
    chooseTimestamps(sentRequest(), ours, { believes: undefined, now }).receiveTimestamp,
    timestamp(80_000n),
  );
});
