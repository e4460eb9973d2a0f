/**
 * The server under fuzz: whole batches of requests of every kind from every address, and whatever
 * an engine might say of the clock.
 *
 * An input is a row of requests, each with two octets of length and two that choose where it is
 * from. Every batch is answered three times by a server that knows everything (keys of each type,
 * Network Time Security, interleaved mode, limits), each time with the timestamps of the last
 * answers put in, as a client in interleaved mode does.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, concatBytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import type { RandomSource } from "../../src/base/random.ts";
import { FIELD_TYPE } from "../../src/protocol/extension_field.ts";
import type { MemoryRequest } from "../support/memory_batch.ts";
import { request, TestServer } from "../support/test_server.ts";
import { authenticator, field, packet, requestHeader, rest } from "./grammar_packets.ts";
import { below, chance, noise, pick, several } from "./mutate.ts";
import { KEY_TYPES, KEYS, makeServer, protectedRequest } from "./full_server.ts";
import type { FuzzTarget } from "./target.ts";

const BATCH_MAX = 64;
/** Basic, basic and remembered, interleaved. */
const ROUNDS = 3;

const CLIENTS: readonly (readonly number[])[] = [
  [192, 0, 2, 1],
  [198, 51, 100, 7],
  [0, 0, 0, 0],
  [255, 255, 255, 255],
  [224, 0, 1, 1],
  [0xfe, 0x80, ...new Array<number>(13).fill(0), 1],
  [0xff, 0x02, ...new Array<number>(13).fill(0), 1],
  new Array<number>(16).fill(0),
];
const PORTS: readonly number[] = [40_000, 123, 0, 7, 19, 53, 65_535, 1];
const BAD_CLIENTS = new Set([2, 3, 4, 6, 7]);
const KINDS = ["limited", "limited", "limited", "open", "nts-only", "bare"] as const;
const BAD_PORTS = new Set([0, 7, 19]);

function fuzzServer(octets: Bytes): void {
  const kind = KINDS[octets.length % KINDS.length];
  assert.ok(kind !== undefined);
  const server = makeServer(kind);
  let batch = requestsOf(octets);
  for (let round = 0; round < ROUNDS; round++) {
    const responses = server.ask(batch);
    checkResponses(batch, responses);
    timestamp(server, octets[round] ?? 0);
    batch = batch.map((each, i) => withOrigin(each, responses[i]));
    server.now += 64;
  }
  const { received, answered, kisses, nts } = server.responder.counters.snapshot();
  assert.equal(received, ROUNDS * batch.length);
  assert.ok(answered + kisses + nts.naks <= 2 * received);
}

/**
 * Says when answers have left, as the kernel does: of some of them, of some twice, at odd times, or
 * not at all.
 */
function timestamp({ responder, time }: TestServer, octet: number): void {
  const [seconds, fraction] = time;
  if (octet % 8 === 7) responder.transmits.restartIds(octet % 3);
  if (octet % 8 === 6) responder.transmits.forgetTimestamps();
  if (octet % 8 === 5) responder.clockStepped();
  for (let i = 0; i < (octet & 0x3f); i++) {
    const late = octet % 5 === 0 ? 2 ** 31 : 40_000 * i;
    responder.transmits.noteTransmit(i % 40, { seconds, fraction: (fraction + late) >>> 0 });
  }
}

/** Reads an input as requests with where they are from. */
function requestsOf(octets: Bytes): readonly MemoryRequest[] {
  const requests: MemoryRequest[] = [];
  for (let at = 0; at + 4 <= octets.length && requests.length < BATCH_MAX;) {
    const length = ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
    const client = CLIENTS[(octets[at + 2] ?? 0) % CLIENTS.length];
    const port = PORTS[(octets[at + 3] ?? 0) % PORTS.length];
    const received = [0xe5f66400, requests.length * 2] as const;
    const piece = octets.slice(at + 4, at + 4 + length);
    requests.push({
      octets: piece,
      received,
      ...(client && { client }),
      ...(port !== undefined && { port }),
    });
    at += 4 + length;
  }
  return requests;
}

function withOrigin(asked: MemoryRequest, response: Bytes | undefined): MemoryRequest {
  if (response === undefined) return asked;
  const octets = asked.octets.slice();
  octets.set(response.subarray(32, 40), 24);
  return { ...asked, octets };
}

function checkResponses(
  batch: readonly MemoryRequest[],
  responses: readonly (Bytes | undefined)[],
): void {
  for (const [i, { octets, client = [], port = 0 }] of batch.entries()) {
    const response = responses[i];
    if (response === undefined) continue;
    const first = octets[0] ?? 0;
    assert.ok(response.length <= octets.length, "no response is longer than its request");
    assert.ok([1, 3].includes(first & 7) || (first & 0x3f) === 8, "only requests are answered");
    assert.equal((response[0] ?? 0) & 7, (first & 7) === 1 ? 2 : 4);
    assert.equal((response[0] ?? 0) & 0x38, first & 0x38, "the version is that of the request");
    assert.ok(!BAD_CLIENTS.has(CLIENTS.indexOf(client)) && !BAD_PORTS.has(port));
  }
}

/** Writes requests as an input. */
function inputOf(...requests: readonly (readonly [Uint8Array, number?, number?])[]): string {
  return toHex(concatBytes(...requests.flatMap(([octets, client = 0, port = 0]) => [
    Uint8Array.of(octets.length >> 8, octets.length & 0xff, client, port),
    octets,
  ])));
}

function signed(version: number, id: number, header = request({ version })): Bytes {
  const key = KEYS.get(id);
  assert.ok(key !== undefined);
  const digest = key.compute(header);
  return concatBytes(header, Uint8Array.of(0, 0, 0, id), digest);
}

/** Reads eight numbers and a timestamp as the state of a clock, whatever they are. */
function fuzzClock(octets: Bytes): void {
  const padded = new Uint8Array(72);
  padded.set(octets.subarray(0, 72));
  const view = new DataView(padded.buffer);
  const server = new TestServer();
  const isServed = server.template.setState({
    leapIndicator: view.getFloat64(0),
    stratum: view.getFloat64(8),
    precision: view.getFloat64(16),
    rootDelay: view.getFloat64(24),
    rootDispersion: view.getFloat64(32),
    dispersionRate: view.getFloat64(40),
    updatedAt: view.getFloat64(48),
    referenceId: view.getFloat64(56),
    referenceTimestamp: ntpTimestamp(view.getBigUint64(64)),
  });
  const response = server.askOne(request());
  assert.ok(response !== undefined, "a request is answered whatever the clock");
  assert.equal((response[0] ?? 0) & 0x3f, 0x24);
  assert.ok((response[1] ?? 99) <= 15);
  if (!isServed) assert.deepEqual([response[0], response[1]], [0xe4, 0]);
}

function clockOf(...numbers: readonly number[]): string {
  return toHex(new Uint8Array(new Float64Array(numbers).buffer).reverse());
}

/** Makes a batch of requests, most of which deserve an answer. */
function batch(random: RandomSource): Bytes {
  const requests = several(1 + below(random, 6), () => anyRequest(random));
  return concatBytes(...requests.flatMap((octets) => [
    Uint8Array.of(octets.length >> 8, octets.length & 0xff, random.uint32(), random.uint32()),
    octets,
  ]));
}

function anyRequest(random: RandomSource): Bytes {
  const header = requestHeader(random);
  switch (below(random, 6)) {
    case 0:
      return packet(random);
    case 1:
      return concatBytes(header, rest(random));
    case 2:
      return signed(3 + below(random, 2), 1 + below(random, KEY_TYPES.length), header);
    case 3:
      return protectedRequest(random, {
        aeadId: pick(random, [15, 30, 17, 16]),
        placeholders: below(random, 8),
      });
    case 4:
      return concatBytes(header, ...secured(random));
    default:
      return header;
  }
}

/** Makes the fields of a request with Network Time Security, which no key has sealed. */
function secured(random: RandomSource): Bytes[] {
  const fields = [
    field(random, FIELD_TYPE.uniqueIdentifier, noise(random, chance(random, 0.9) ? 32 : 12)),
    field(random, FIELD_TYPE.ntsCookie, noise(random, 4 * below(random, 40))),
    ...several(below(random, 4), () => field(random, FIELD_TYPE.ntsCookiePlaceholder)),
    authenticator(random),
  ];
  if (chance(random, 0.2)) fields.splice(below(random, fields.length), 1);
  if (chance(random, 0.2)) fields.push(pick(random, fields));
  return fields;
}

/** The answer path, and the state that it serves. */
export const SERVER_TARGETS: readonly FuzzTarget[] = [
  {
    name: "server",
    oracle:
      "only requests are answered, to whom they may be, in their version, never longer than they are; nothing counts as internal error",
    isStateful: true,
    budget: 300,
    generate: batch,
    seeds: [
      inputOf([request()], [request(), 1], [request(), 5], [request({ mode: 1 }), 0, 1]),
      inputOf([request({ version: 1, mode: 0 })], [request({ version: 2 })], [request(), 2, 2]),
      inputOf(...KEY_TYPES.map((_, i) => [signed(4, i + 1)] as const)),
      inputOf(...KEY_TYPES.map((_, i) => [signed(3, i + 1)] as const)),
      inputOf([protectedRequest()], [protectedRequest(), 5], [request({ receive: 5n })]),
    ],
    run: fuzzServer,
  },
  {
    name: "served-clock",
    oracle:
      "whatever is said of the clock, a response is well formed, and says unsynchronized where it must",
    budget: 1500,
    generate: (random) =>
      fromHex(clockOf(...several(8, () => random.uint32() * pick(random, [0, 1, -1e-9, 1e30])))) ??
        new Uint8Array(),
    seeds: [
      clockOf(0, 1000, 1e-7, 0.001, 0.02, -20, 3, 0),
      clockOf(0, 0, 0, 0, 0, -20, 16, 3),
      toHex(fromHex("7ff8000000000000".repeat(9)) ?? new Uint8Array()),
    ],
    run: fuzzClock,
  },
];
