import assert from "node:assert/strict";
import { ASSOCIATION_CONFIG } from "../../tests/support/association_config.ts";
import { addSeconds, ntpTimestamp } from "../base/ntp_timestamp.ts";
import { type RandomSource, SeededRandom } from "../base/random.ts";
import { decodeHeader, emptyHeader, encodeHeader } from "../protocol/header.ts";
import { decodePacket, PACKET_LENGTH_MAX } from "../protocol/packet.ts";
import { referenceIdFromAscii } from "../protocol/reference_id.ts";
import { Association } from "./association.ts";
import type { AssociationConfig } from "./config.ts";
import type { SendAction } from "./events.ts";
import type { Measurement } from "./measurement.ts";

const PACKETS = 100_000;
const SEED = 20260101;
const EPOCH = ntpTimestamp(0xed00_0000_0000_0000n);
const CODES = ["RATE", "DENY", "RSTR", "NTSN", "INIT", "X123"].map(referenceIdFromAscii);

const CONFIG: AssociationConfig = {
  ...ASSOCIATION_CONFIG,
  iburst: true,
  initialPollInterval: 4,
  interleaved: true,
};

function below(random: RandomSource, limit: number): number {
  return random.uint32() % limit;
}

/**
 * A packet of one of three kinds: noise, a response to something else, or a response to `request`
 * with some octets changed.
 */
function randomPacket(random: RandomSource, request: SendAction, now: number): Uint8Array {
  const kind = below(random, 8);
  if (kind === 0) {
    const noise = new Uint8Array(below(random, 120));
    random.fill(noise);
    return noise;
  }
  const asked = decodeHeader(request.packet);
  assert.ok(asked.ok);
  const { transmitTimestamp, receiveTimestamp } = asked.value;
  const origins = [transmitTimestamp, transmitTimestamp, receiveTimestamp, ntpTimestamp(1n)];
  const header = encodeHeader({
    ...emptyHeader(4, 4),
    leapIndicator: below(random, 4),
    stratum: below(random, 3) === 0 ? 0 : below(random, 18),
    poll: below(random, 256) - 128,
    precision: below(random, 256) - 128,
    rootDelay: below(random, 40),
    rootDispersion: below(random, 20),
    referenceId: CODES[below(random, 8)] ?? random.uint32(),
    originTimestamp: origins[below(random, origins.length)] ?? transmitTimestamp,
    receiveTimestamp: addSeconds(EPOCH, now + below(random, 100) / 1e4),
    transmitTimestamp: addSeconds(EPOCH, now + below(random, 100) / 1e4),
  });
  const tail = below(random, 6) === 0 ? below(random, 80) : 0;
  const packet = new Uint8Array(header.length + tail);
  random.fill(packet);
  packet.set(header);
  // small lengths, so that some fields nearly fit
  if (tail >= 4 && kind % 2 === 0) packet[50] = 0;
  if (kind < 4) {
    for (let i = below(random, 4); i > 0; i--) {
      packet[below(random, packet.length)] = random.uint32();
    }
  }
  return kind === 7 ? packet.subarray(0, below(random, packet.length)) : packet;
}

/** All that a packet could change, in one comparable value. */
function stateOf(association: Association): string {
  return JSON.stringify([
    association.history.reach,
    association.poll,
    association.history.unansweredRequests,
    association.nextWakeup(),
    association.kiss,
    association.isStopped,
    association.inBurst,
    association.history.serverState,
    association.history.lastResponseAt,
    association.sent,
    association.history.lastMeasurement?.transmitTimestamp,
  ], (_, value) => typeof value === "bigint" ? `${value}` : value);
}

/** An association among random packets, replaced by a fresh one when a denial has stopped it. */
class Victim {
  readonly random = new SeededRandom(SEED);
  readonly reasons = new Set<string>();
  measured = 0;
  stopped = 0;
  logged = 0;
  #requests = 0;
  #now = 0;
  #association = this.#fresh();
  #request = this.#ask();

  /** Sends one random packet and checks what it did. */
  step(label: string): void {
    const { random } = this;
    const packet = randomPacket(random, this.#request, this.#now);
    const association = this.#association;
    const before = stateOf(association);
    const { poll, history: { reach, unansweredRequests, lastResponseAt } } = association;
    const dropped = association.history.dropped.total();
    const { actions, measurement } = association.handleDatagram({
      type: "datagram",
      association: this.#request.association,
      request: this.#request.request - (below(random, 20) === 0 ? 1 : 0),
      packet,
      transmitTimestamp: addSeconds(EPOCH, this.#now),
      transmitTimestamping: "kernel",
      receiveTimestamp: addSeconds(EPOCH, this.#now + 0.01),
      receiveTimestamping: "kernel",
    }, this.#now);
    this.logged += actions.filter(({ type }) => type === "log").length;
    if (!isProper(packet, this.#request)) {
      assert.equal(stateOf(association), before, label);
      assert.equal(association.history.dropped.total(), dropped + 1, label);
      assert.deepEqual([actions, measurement], [[], undefined], label);
    }
    if (measurement !== undefined) this.#checkMeasurement(measurement, reach);
    // only a RATE kiss raises the poll, only a proper response lowers it, by a step, and only eight
    // requests without response let a denial stop us
    const eased = association.history.lastResponseAt === lastResponseAt ? 0 : 1;
    assert.ok(association.poll >= poll - eased && association.poll <= 10, label);
    if (association.isStopped) assert.ok(unansweredRequests >= 8 && reach === 0, label);
    for (const reason of Object.keys(association.history.dropped.snapshot())) {
      this.reasons.add(reason);
    }
    this.#goOn(actions.some(({ type }) => type === "close"));
  }

  #checkMeasurement(measurement: Measurement, reach: number): void {
    this.measured++;
    assert.ok(measurement.stratum >= 1 && measurement.stratum <= 15);
    assert.notEqual(measurement.leapIndicator, "unknown");
    assert.equal(this.#association.history.reach, reach | 1);
    assert.ok(measurement.rootDelay / 2 + measurement.rootDispersion < 16);
  }

  #goOn(isAnswered: boolean): void {
    if (this.#association.isStopped) {
      this.stopped++;
      this.#association = this.#fresh();
      this.#request = this.#ask();
    } else if (isAnswered || below(this.random, 8) === 0) this.#request = this.#ask();
  }

  #fresh(): Association {
    const made = new Association({
      id: 1,
      name: "time.example.org",
      address: { family: "ipv4", address: "192.0.2.1", port: 123 },
      config: CONFIG,
      random: this.random,
      allocateRequest: () => ++this.#requests,
    });
    made.start(this.#now);
    return made;
  }

  #ask(): SendAction {
    for (;;) {
      this.#now = Math.max(this.#now, this.#association.nextWakeup());
      const actions = this.#association.handleTimer(this.#now);
      this.logged += actions.filter(({ type }) => type === "log").length;
      const sent = actions.find((action) => action.type === "send");
      if (sent !== undefined) return sent;
    }
  }
}

/**
 * Whether a packet repeats what the request sent and has the form of a response: the least for it
 * to mean anything.
 */
function isProper(packet: Uint8Array, request: SendAction): boolean {
  const asked = decodeHeader(request.packet), answer = decodeHeader(packet);
  if (!asked.ok || !answer.ok) return false;
  const { originTimestamp, mode, version } = answer.value;
  const origins = [asked.value.transmitTimestamp, asked.value.receiveTimestamp];
  return originTimestamp !== 0n && origins.includes(originTimestamp) && mode === 4 &&
    version >= 1 && version <= 4 && decodePacket(packet).ok;
}

Deno.test(`${PACKETS} random packets: none throws, none changes what it may not (seed ${SEED})`, () => {
  const victim = new Victim();
  for (let i = 0; i < PACKETS; i++) victim.step(`packet ${i}`);
  assert.ok(victim.measured > 1000, `${victim.measured} measured`);
  assert.ok(victim.stopped > 0, "some association was denied");
  assert.ok(victim.logged < PACKETS / 10, `${victim.logged} messages`);
  // the packets were varied enough to meet almost every refusal that a plain association knows
  const all = "field-overrun field-too-short field-truncated kiss-deny kiss-rate kiss-restrict " +
    "kiss-unknown mac-length mode negative-delay not-authentic origin reference-timestamp " +
    "root-distance server-time-reversed too-short unexpected unsynchronized version";
  assert.deepEqual(all.split(" ").filter((reason) => !victim.reasons.has(reason)), []);
});

Deno.test(`${PACKETS} random packets: the decoder never throws (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED + 1);
  const buffer = new Uint8Array(PACKET_LENGTH_MAX + 100);
  let decoded = 0;
  for (let i = 0; i < PACKETS; i++) {
    const length = below(random, 16) === 0 ? below(random, buffer.length) : below(random, 160);
    const packet = buffer.subarray(0, length);
    random.fill(packet);
    // small lengths of fields, so that some fit
    for (let at = 50; at < length && below(random, 2) === 0; at += 16) packet[at] = 0;
    const result = decodePacket(packet);
    if (!result.ok) continue;
    decoded++;
    assert.ok(length >= 48);
    for (const { offset, length: size } of result.value.fields) assert.ok(offset + size <= length);
  }
  assert.ok(decoded > PACKETS / 100, `${decoded} decoded`);
});
