import assert from "node:assert/strict";
import { ASSOCIATION_CONFIG } from "../../tests/support/association_config.ts";
import { type Bytes, concatBytes } from "../base/bytes.ts";
import { addSeconds, type NtpTimestamp, ntpTimestamp } from "../base/ntp_timestamp.ts";
import { SeededRandom } from "../base/random.ts";
import { err, ok } from "../base/result.ts";
import { decodeHeader, emptyHeader, encodeHeader, type NtpHeader } from "../protocol/header.ts";
import { referenceIdFromAscii } from "../protocol/reference_id.ts";
import { Association, type AssociationOptions, type Reception } from "./association.ts";
import type { AssociationConfig } from "./config.ts";
import type { DatagramEvent, SendAction, SourceAction } from "./events.ts";
import type { PacketProtection } from "./protection.ts";

/** 2026-01-01 or so. */
const EPOCH = ntpTimestamp(0xed00_0000_0000_0000n);

function association(
  config: Partial<AssociationConfig> = {},
  options: Partial<AssociationOptions> = {},
): Association {
  let request = 0;
  const made = new Association({
    id: 7,
    name: "time.example.org",
    address: { family: "ipv4", address: "192.0.2.1", port: 123 },
    config: { ...ASSOCIATION_CONFIG, ...config },
    random: new SeededRandom(1),
    allocateRequest: () => ++request,
    ...options,
  });
  made.start(0);
  return made;
}

/** Lets the association ask at its own time, and returns the moment and the request. */
function ask(from: Association): { now: number; sent: SendAction } {
  for (let i = 0; i < 20; i++) {
    const now = from.nextWakeup();
    const sent = from.handleTimer(now).find((action) => action.type === "send");
    if (sent !== undefined) return { now, sent };
  }
  return assert.fail("the association asks no more");
}

function headerOf(request: SendAction): NtpHeader {
  const decoded = decodeHeader(request.packet);
  return decoded.ok ? decoded.value : assert.fail(decoded.error);
}

function goodHeader(request: SendAction, now: number): NtpHeader {
  return {
    ...emptyHeader(4, 4),
    stratum: 2,
    precision: -20,
    rootDelay: 1 / 64,
    rootDispersion: 1 / 128,
    referenceId: 0xc0000205,
    referenceTimestamp: addSeconds(EPOCH, now - 10),
    originTimestamp: headerOf(request).transmitTimestamp,
    receiveTimestamp: addSeconds(EPOCH, now + 0.51),
    transmitTimestamp: addSeconds(EPOCH, now + 0.5101),
  };
}

function datagram(request: SendAction, packet: Bytes, now: number): DatagramEvent {
  return {
    type: "datagram",
    association: request.association,
    request: request.request,
    packet,
    transmitTimestamp: addSeconds(EPOCH, now),
    transmitTimestamping: "kernel",
    receiveTimestamp: addSeconds(EPOCH, now + 0.02),
    receiveTimestamping: "user",
  };
}

/** Asks, and answers with a good header that was changed. */
function exchange(
  from: Association,
  change: Partial<NtpHeader> | ((header: NtpHeader) => Partial<NtpHeader>) = {},
  tail: Bytes = new Uint8Array(0),
): Reception & { now: number; sent: SendAction } {
  const { now, sent } = ask(from);
  const good = goodHeader(sent, now);
  const header = { ...good, ...(typeof change === "function" ? change(good) : change) };
  const packet = concatBytes(encodeHeader(header), tail);
  return { ...from.handleDatagram(datagram(sent, packet, now), now + 0.02), now, sent };
}

function types(actions: readonly SourceAction[]): readonly string[] {
  return actions.map((action) => action.type);
}

Deno.test("a request carries nothing but its version, its mode and a random number", () => {
  const from = association();
  const { sent } = ask(from);
  assert.equal(sent.association, 7);
  assert.equal(sent.destination.address, "192.0.2.1");
  assert.equal(sent.packet.length, 48);
  assert.equal(sent.packet[0], 0x23);
  // precision 0x20 as other minimising clients send it, all else zero
  const rest = [...sent.packet.subarray(1, 40)];
  assert.deepEqual(rest.map((octet, i) => i === 2 ? octet - 0x20 : octet), new Array(39).fill(0));
  const first = headerOf(sent).transmitTimestamp;
  exchange(from);
  assert.notEqual(headerOf(ask(from).sent).transmitTimestamp, first);
});

Deno.test("a good answer is measured", () => {
  const from = association();
  const { actions, measurement, now, sent } = exchange(from, { leapIndicator: 1 });
  assert.deepEqual(types(actions), ["close"]);
  assert.deepEqual(actions[0], { type: "close", request: sent.request });
  assert.deepEqual(measurement, {
    originTimestamp: addSeconds(EPOCH, now),
    receiveTimestamp: addSeconds(EPOCH, now + 0.51),
    transmitTimestamp: addSeconds(EPOCH, now + 0.5101),
    destinationTimestamp: addSeconds(EPOCH, now + 0.02),
    timestamping: "user",
    interleaved: false,
    stratum: 2,
    leapIndicator: "insert",
    referenceId: 0xc0000205,
    precision: -20,
    rootDelay: 1 / 64,
    rootDispersion: 1 / 128,
  });
  assert.equal(from.history.reach, 1);
  assert.equal(from.history.lastResponseAt, now + 0.02);
  assert.equal(from.history.serverState?.stratum, 2);
  assert.equal(from.history.unansweredRequests, 0);
  assert.deepEqual([from.sent, from.history.received, from.history.dropped.total()], [1, 1, 0]);
});

Deno.test("every test of RFC 5905 refuses what it is for, and says so", () => {
  const cases: readonly (readonly [string, (good: NtpHeader) => Partial<NtpHeader>])[] = [
    ["origin", (good) => ({ originTimestamp: ntpTimestamp(good.originTimestamp ^ 1n) })],
    ["origin", () => ({ originTimestamp: ntpTimestamp(0n) })],
    ["mode", () => ({ mode: 3 })],
    ["mode", () => ({ mode: 5 })],
    ["version", () => ({ version: 0 })],
    ["version", () => ({ version: 5 })],
    ["zero-timestamp", () => ({ receiveTimestamp: ntpTimestamp(0n) })],
    ["zero-timestamp", () => ({ transmitTimestamp: ntpTimestamp(0n) })],
    [
      "server-time-reversed",
      (good) => ({ receiveTimestamp: addSeconds(good.transmitTimestamp, 1e-6) }),
    ],
    // no grain, however coarse, explains more than a second
    [
      "server-time-reversed",
      (good) => ({ precision: 127, receiveTimestamp: addSeconds(good.transmitTimestamp, 1.001) }),
    ],
    // half an era away, so that it lies before the other
    [
      "server-time-reversed",
      (good) => ({ transmitTimestamp: ntpTimestamp(good.transmitTimestamp ^ (1n << 63n)) }),
    ],
    [
      "negative-delay",
      (good) => ({ transmitTimestamp: addSeconds(good.receiveTimestamp, 0.0202) }),
    ],
    ["unsynchronized", () => ({ leapIndicator: 3 })],
    ["unsynchronized", () => ({ stratum: 16 })],
    ["unsynchronized", () => ({ stratum: 255 })],
    ["unsynchronized", () => ({ stratum: 0, referenceId: 0 })],
    ["root-distance", () => ({ rootDelay: 32 })],
    ["root-distance", () => ({ rootDispersion: 16 })],
    ["root-distance", () => ({ rootDelay: 16, rootDispersion: 8 })],
    [
      "reference-timestamp",
      (good) => ({ referenceTimestamp: addSeconds(good.transmitTimestamp, 0.1) }),
    ],
  ];
  for (const [reason, change] of cases) {
    const from = association();
    const { measurement } = exchange(from, change);
    assert.equal(measurement, undefined, reason);
    assert.deepEqual(from.history.dropped.snapshot(), { [reason]: 1 });
    assert.equal(from.history.reach, reason === "unsynchronized" ? 1 : 0, reason);
    assert.equal(
      from.history.serverState?.isSynchronized,
      reason === "unsynchronized" ? false : undefined,
    );
  }
});

Deno.test("the limits of the tests are passed", () => {
  const cases: readonly ((good: NtpHeader) => Partial<NtpHeader>)[] = [
    () => ({ rootDelay: 16, rootDispersion: 7.99 }),
    () => ({ stratum: 15 }),
    () => ({ stratum: 1 }),
    () => ({ referenceTimestamp: ntpTimestamp(0n) }),
    (good) => ({ receiveTimestamp: good.transmitTimestamp }),
    // a server that knows an older version answers in it
    () => ({ version: 3 }),
    () => ({ version: 2 }),
    () => ({ version: 1 }),
    // a clock with a grain may say that the response left before the request came
    (good) => ({ precision: -6, receiveTimestamp: addSeconds(good.transmitTimestamp, 1 / 65) }),
    (good) => ({ precision: 0, receiveTimestamp: addSeconds(good.transmitTimestamp, 0.9) }),
    // a clock with a grain of 2^-6 s may say that it held the packet for one grain
    (good) => ({ precision: -6, transmitTimestamp: addSeconds(good.receiveTimestamp, 1 / 64) }),
    (good) => ({ precision: 127, transmitTimestamp: addSeconds(good.receiveTimestamp, 1 / 64) }),
  ];
  for (const [i, change] of cases.entries()) {
    assert.notEqual(exchange(association(), change).measurement, undefined, `case ${i}`);
  }
});

Deno.test("an answer is measured once, a late one never", () => {
  const from = association();
  const { now, sent } = exchange(from);
  const again = datagram(sent, encodeHeader(goodHeader(sent, now)), now);
  assert.deepEqual(from.handleDatagram(again, now + 0.1), { actions: [], measurement: undefined });
  const next = ask(from);
  assert.deepEqual(types(from.handleTimer(next.now + 4)), ["close"]);
  const late = datagram(next.sent, encodeHeader(goodHeader(next.sent, next.now)), next.now);
  assert.equal(from.handleDatagram(late, next.now + 5).measurement, undefined);
  assert.deepEqual(from.history.dropped.snapshot(), { unexpected: 2 });
  assert.equal(from.history.reach, 0b10);
});

Deno.test("a server that says the same again is a duplicate", () => {
  const from = association();
  const first = exchange(from);
  const { receiveTimestamp, transmitTimestamp } = goodHeader(first.sent, first.now);
  exchange(from, { receiveTimestamp, transmitTimestamp });
  assert.deepEqual(from.history.dropped.snapshot(), { duplicate: 1 });
});

Deno.test("what is malformed or not authentic leaves the request open for the true answer", () => {
  const from = association();
  const { now, sent } = ask(from);
  const good = encodeHeader(goodHeader(sent, now));
  const tails: readonly (readonly [number, string])[] = [
    [1, "field-truncated"],
    [4, "crypto-nak"],
    [16, "field-too-short"],
    [20, "not-authentic"],
    [2001, "too-long"],
  ];
  for (const [length] of tails) {
    const packet = concatBytes(good, new Uint8Array(length));
    assert.equal(from.handleDatagram(datagram(sent, packet, now), now).measurement, undefined);
  }
  from.handleDatagram(datagram(sent, good.subarray(0, 47), now), now);
  const expected = Object.fromEntries(tails.map(([, reason]) => [reason, 1]));
  assert.deepEqual(from.history.dropped.snapshot(), { ...expected, "too-short": 1 });
  assert.notEqual(from.handleDatagram(datagram(sent, good, now), now).measurement, undefined);
});

Deno.test("a RATE kiss raises the poll by at least one and never above ten", () => {
  const rate = { stratum: 0, referenceId: referenceIdFromAscii("RATE") };
  const from = association({ iburst: true });
  exchange(from, { ...rate, leapIndicator: 3, poll: 0 });
  assert.equal(from.poll, 7);
  assert.equal(from.inBurst, false);
  exchange(from, { ...rate, leapIndicator: 0, poll: 9 });
  assert.equal(from.poll, 9);
  from.setPoll(4);
  assert.equal(from.poll, 9);
  exchange(from, { ...rate, poll: 127 });
  assert.equal(from.poll, 10);
  exchange(from, { ...rate, poll: 17 });
  assert.equal(from.poll, 10);
  assert.deepEqual(from.history.dropped.snapshot(), { "kiss-rate": 4 });
  assert.equal(from.history.reach, 0);
  assert.equal(from.isDenied, false);
  assert.equal(from.isStopped, false);
});

Deno.test("a kiss that does not repeat our random number is nothing", () => {
  const from = association();
  const code = referenceIdFromAscii("RATE");
  exchange(from, { stratum: 0, referenceId: code, poll: 10, originTimestamp: ntpTimestamp(1n) });
  assert.equal(from.poll, 6);
  assert.deepEqual(from.history.dropped.snapshot(), { origin: 1 });
});

for (const [code, reason] of [["DENY", "kiss-deny"], ["RSTR", "kiss-restrict"]] as const) {
  Deno.test(`${code} stops only after eight requests without a better answer`, () => {
    const denial = { stratum: 0, referenceId: referenceIdFromAscii(code), leapIndicator: 3 };
    const from = association();
    exchange(from);
    for (let i = 0; i < 7; i++) {
      exchange(from, denial);
      assert.equal(from.isDenied, false);
      assert.equal(from.isStopped, false);
    }
    const { actions } = exchange(from, denial);
    assert.deepEqual(types(actions), ["close", "log"]);
    assert.equal(from.isDenied, true);
    assert.equal(from.isStopped, true);
    assert.equal(from.nextWakeup(), Infinity);
    assert.deepEqual(from.history.dropped.snapshot(), { [reason]: 8 });
  });
}

Deno.test("a forged denial between good answers changes nothing but a count", () => {
  const denial = { stratum: 0, referenceId: referenceIdFromAscii("DENY"), leapIndicator: 3 };
  const from = association();
  for (let i = 0; i < 20; i++) {
    exchange(from, denial);
    assert.notEqual(exchange(from).measurement, undefined);
  }
  assert.equal(from.isStopped, false);
  assert.equal(from.poll, 6);
});

Deno.test("unknown kisses are counted and ignored", () => {
  const from = association();
  exchange(from, { stratum: 0, referenceId: referenceIdFromAscii("X999"), leapIndicator: 3 });
  exchange(from, { stratum: 0, referenceId: referenceIdFromAscii("NTSN") });
  assert.deepEqual(from.history.dropped.snapshot(), { "kiss-unknown": 2 });
  assert.equal(from.poll, 6);
  assert.equal(from.isDenied, false);
});

Deno.test("a server that falls silent is known to be, until it answers", () => {
  const from = association();
  assert.equal(from.health, "unknown");
  exchange(from);
  assert.equal(from.health, "answers");
  for (let i = 0; i < 7; i++) ask(from);
  assert.equal(from.health, "unknown");
  ask(from);
  assert.deepEqual([from.health, from.history.isReachable], ["silent", false]);
  assert.equal(from.report, "did not answer the last 8 requests");
  exchange(from, { version: 5 });
  assert.equal(from.report, "sends responses that are dropped: version (1)");
  exchange(from);
  assert.equal(from.health, "answers");
});

Deno.test("a request that could not be delivered stays open, one that never left does not", () => {
  const from = association();
  const { now, sent } = ask(from);
  const failed = { type: "send-failed", association: 7 } as const;
  const failure = { ...failed, request: sent.request, reason: "Connection refused" };
  assert.deepEqual(from.handleSendFailed(failure, now), []);
  assert.equal(from.lastSendFailure, "Connection refused");
  // a forged refusal is no news before the true response is overdue
  assert.equal(from.health, "unknown");
  const good = encodeHeader(goodHeader(sent, now));
  assert.notEqual(from.handleDatagram(datagram(sent, good, now), now).measurement, undefined);
  assert.equal(from.lastSendFailure, undefined);
  const next = ask(from);
  const local = {
    ...failed,
    request: next.sent.request,
    reason: "Network is unreachable",
    isLocal: true,
  };
  assert.deepEqual(types(from.handleSendFailed(local, next.now)), ["close"]);
  assert.deepEqual([from.health, from.report], [
    "silent",
    "cannot be queried: Network is unreachable",
  ]);
  assert.ok(from.nextWakeup() - next.now <= 16);
});

Deno.test("a step of the clock voids the open request", () => {
  const from = association();
  const { now, sent } = ask(from);
  assert.deepEqual(from.clockStepped(now + 0.01), [
    { type: "close", request: sent.request },
  ]);
  const good = encodeHeader(goodHeader(sent, now));
  assert.equal(from.handleDatagram(datagram(sent, good, now), now).measurement, undefined);
  assert.equal(from.nextWakeup(), now + 2);
  assert.deepEqual(from.clockStepped(now + 0.02), []);
});

Deno.test("protected packets are verified, and kisses among them believed at once", () => {
  const seen: string[] = [];
  let authentic = false;
  const protection: PacketProtection = {
    authentication: "nts",
    protect: (header) =>
      ok({ packet: concatBytes(header, Uint8Array.of(1)), uniqueIdentifier: header }),
    verify: (packet, identifier) => {
      seen.push(`${packet.length} ${identifier.length}`);
      return authentic ? ok({}) : err("wrong");
    },
  };
  const from = association({}, { protection });
  const { sent } = exchange(from);
  assert.equal(sent.packet.length, 49);
  assert.deepEqual(seen, ["48 48"]);
  const denial = { stratum: 0, referenceId: referenceIdFromAscii("DENY"), leapIndicator: 3 };
  exchange(from, denial);
  exchange(from, { stratum: 0, referenceId: referenceIdFromAscii("NTSN") });
  assert.deepEqual(from.history.dropped.snapshot(), { "not-authentic": 2, "nts-nak": 1 });
  authentic = true;
  assert.notEqual(exchange(from).measurement, undefined);
  exchange(from, denial);
  assert.equal(from.isStopped, true);
});

Deno.test("without keys nothing is sent, and an exchange is asked for", () => {
  let due = true;
  const protection: PacketProtection = {
    authentication: "nts",
    protect: () => err("no-cookies"),
    verify: () => err("no-cookies"),
    beginKeyExchange: () => {
      const now = due;
      due = false;
      return now;
    },
  };
  const from = association({ port: 4460 }, { protection });
  assert.deepEqual(from.handleTimer(from.nextWakeup()), [{
    type: "exchange-keys",
    association: 7,
    host: "time.example.org",
    port: 4460,
    certificateAuthority: undefined,
    aeadAlgorithms: [],
  }]);
  assert.deepEqual(from.handleTimer(from.nextWakeup()), []);
  assert.equal(from.sent, 0);
  assert.equal(from.history.unansweredRequests, 2);
});

/** Asks, and answers in interleaved mode: `left` is when the response before left. */
function exchangeInterleaved(from: Association, left: NtpTimestamp) {
  const { now, sent } = ask(from);
  const request = headerOf(sent);
  const answer: NtpHeader = {
    ...goodHeader(sent, now),
    originTimestamp: request.receiveTimestamp,
    receiveTimestamp: addSeconds(EPOCH, now + 0.6),
    transmitTimestamp: left,
  };
  const reception = from.handleDatagram(datagram(sent, encodeHeader(answer), now), now + 0.02);
  return { ...reception, now, request };
}

Deno.test("interleaved responses tell when the response before left", () => {
  const from = association({ interleaved: true });
  const first = exchange(from);
  assert.equal(first.measurement?.interleaved, false);
  const second = exchangeInterleaved(from, addSeconds(EPOCH, first.now + 0.5103));
  assert.equal(
    second.request.originTimestamp,
    goodHeader(first.sent, first.now).receiveTimestamp,
  );
  assert.notEqual(second.request.receiveTimestamp, 0n);
  assert.notEqual(second.request.receiveTimestamp, second.request.transmitTimestamp);
  // the exchange was measured already by its basic response
  assert.equal(second.measurement, undefined);
  assert.equal(from.history.reach, 3);
  const left = addSeconds(EPOCH, second.now + 0.6002);
  const third = exchangeInterleaved(from, left);
  assert.equal(third.request.originTimestamp, addSeconds(EPOCH, second.now + 0.6));
  const { measurement } = third;
  assert.equal(measurement?.interleaved, true);
  assert.equal(measurement.originTimestamp, addSeconds(EPOCH, second.now));
  assert.equal(measurement.receiveTimestamp, addSeconds(EPOCH, second.now + 0.6));
  assert.equal(measurement.transmitTimestamp, left);
  assert.equal(measurement.destinationTimestamp, addSeconds(EPOCH, second.now + 0.02));
});

Deno.test("interleaved mode falls back to basic by itself", () => {
  const from = association({ interleaved: true });
  exchange(from);
  // a server that does not know the mode answers every request basically
  for (let i = 0; i < 3; i++) assert.equal(exchange(from).measurement?.interleaved, false);
  for (let i = 0; i < 4; i++) assert.notEqual(headerOf(ask(from).sent).originTimestamp, 0n);
  const given = headerOf(ask(from).sent);
  assert.equal(given.originTimestamp, 0n);
  assert.equal(given.receiveTimestamp, 0n);
  exchange(from);
  from.clockStepped(1e6);
  assert.equal(headerOf(ask(from).sent).originTimestamp, 0n);
});
