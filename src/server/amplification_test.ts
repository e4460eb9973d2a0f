import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { SeededRandom } from "../base/random.ts";
import { isMacDigestLength, type MacKey, macKey } from "../crypto/mac.ts";
import { decodePacket } from "../protocol/packet.ts";
import { PacketWalk } from "../protocol/packet_walk.ts";
import { SymmetricKeys } from "./authentication.ts";
import { InterleavedTable } from "./interleaved.ts";
import { requestKind } from "./request_kind.ts";
import { request, TestServer } from "../../tests/support/test_server.ts";

const MAC_TYPES = ["MD5", "SHA1", "SHA256", "SHA384", "SHA512", "AES128", "AES256"] as const;

/** A key of each type, numbered from 1. */
const KEYS: ReadonlyMap<number, MacKey> = new Map(MAC_TYPES.map((type, i) => {
  const key = macKey(type, new Uint8Array(type === "AES256" ? 32 : 16).fill(1));
  assert.ok(key.ok);
  return [i + 1, key.value];
}));

function fullServer(): TestServer {
  return new TestServer({
    versions: [1, 2, 3, 4, 5, 6, 7],
    interleaved: new InterleavedTable({ random: new SeededRandom(1) }),
    keys: new SymmetricKeys(KEYS),
  });
}

/**
 * Whether a packet is one that asks for a response, said in another way than the server says it.
 */
function asks(first: number): boolean {
  return first % 8 === 3 || first % 8 === 1 || first % 64 === 8;
}

function checkLength(server: TestServer, octets: Uint8Array): void {
  const response = server.askOne(octets);
  if (response === undefined) return;
  const mode = (octets[0] ?? 0) & 7;
  const text = `mode ${mode}, ${octets.length} octets`;
  assert.ok(octets.length >= 48, `answered too short a request: ${text}`);
  assert.ok(asks(octets[0] ?? 0), `answered what is no request: ${text}`);
  assert.ok(response.length <= octets.length, `answered with ${response.length} octets: ${text}`);
  assert.equal((response[0] ?? 0) & 7, mode === 1 ? 2 : 4, text);
  assert.equal((response[0] ?? 0) & 0x38, (octets[0] ?? 0) & 0x38, text);
}

Deno.test("every mode, version and length: no response but to requests, and none longer", () => {
  const server = fullServer();
  const random = new SeededRandom(7);
  for (let first = 0; first < 256; first++) {
    for (let length = 0; length <= 1500; length += length < 130 ? 1 : 37) {
      const octets = new Uint8Array(length);
      if (length % 3 > 0) random.fill(octets);
      if (length > 0) octets[0] = first;
      checkLength(server, octets);
    }
  }
  // Plain requests alone: four leap indicators, seven versions of two modes and one of a third.
  assert.equal(server.responder.counters.answered, 60);
});

Deno.test("authentic requests with every key, version and length of a code: the same holds", () => {
  const server = fullServer();
  let answered = 0;
  for (const [id, key] of KEYS) {
    for (const version of [1, 2, 3, 4]) {
      for (let length = 4; length <= 68; length += 4) {
        if (!isMacDigestLength(key.type, length) || (version === 4 && length > 20)) continue;
        const octets = signed(version, [id, key], length);
        checkLength(server, octets);
        assert.equal(server.batch.responseTo(0)?.length, octets.length, `${key.type} ${version}`);
        answered++;
      }
    }
  }
  // Five types of one length, and three more lengths of the long digests before version 4.
  assert.equal(answered, 4 * 7 + 3 * 3);
  assert.equal(server.responder.counters.answered, answered);
});

function signed(
  version: number,
  [id, key]: readonly [number, MacKey],
  length: number,
): Uint8Array<ArrayBuffer> {
  const octets = request({ version, rest: new Uint8Array(4 + length) });
  new DataView(octets.buffer).setUint32(48, id);
  octets.set(key.compute(octets.slice(0, 48), length), 52);
  return octets;
}

Deno.test("requests with many or broken fields, mutated: the same holds", () => {
  const server = fullServer();
  const field = fc.record({
    type: fc.constantFrom(0x0104, 0x0204, 0x0304, 0x0404, 0x2005, 0xf323, 0),
    length: fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.constantFrom(16, 20, 24, 28, 36, 104, 0xffff),
    ),
    claim: fc.option(fc.integer({ min: 0, max: 0xffff })),
  });
  const mutation = fc.tuple(fc.nat(1499), fc.nat(255));
  const property = fc.property(
    fc.integer({ min: 0, max: 255 }),
    fc.array(field, { maxLength: 12 }),
    fc.array(mutation, { maxLength: 4 }),
    fc.integer({ min: -3, max: 24 }),
    (first, fields, mutations, extra) => {
      const octets = packet(fields, extra);
      octets[0] = first;
      for (const [at, value] of mutations) if (at > 0 && at < octets.length) octets[at] = value;
      checkLength(server, octets);
      compareKinds(octets);
    },
  );
  fc.assert(property, { numRuns: 3000 });
});

/** The response path and the decoder agree on what a packet is. */
function compareKinds(octets: Uint8Array<ArrayBuffer>): void {
  if (octets.length < 48 || octets.length > 2048) return;
  const walk = new PacketWalk();
  walk.start({ bytes: octets, offset: 0, length: octets.length }, ((octets[0] ?? 0) >>> 3) & 7);
  const kind = requestKind(walk);
  const decoded = decodePacket(octets);
  if (!decoded.ok) return assert.equal(kind, "malformed", decoded.error);
  const { trailer, fields } = decoded.value;
  const hasNts = fields.some((field) => field.type === 0x0204 || field.type === 0x0404);
  if (trailer.kind === "crypto-nak") return assert.equal(kind, "malformed");
  if (trailer.kind === "mac") {
    assert.equal(kind, hasNts ? "malformed" : "mac");
    return assert.equal(walk.length, octets.length - trailer.offset);
  }
  assert.equal(kind === "nts", hasNts);
  assert.notEqual(kind, "malformed");
}

function packet(
  fields: readonly { type: number; length: number; claim: number | null }[],
  extra: number,
): Uint8Array<ArrayBuffer> {
  const length = fields.reduce((sum, field) => sum + Math.min(300, field.length), 0);
  const rest = new Uint8Array(Math.max(0, Math.min(1452, length + extra)));
  const view = new DataView(rest.buffer);
  let at = 0;
  for (const field of fields) {
    if (at + 4 > rest.length) break;
    view.setUint16(at, field.type);
    view.setUint16(at + 2, field.claim ?? Math.min(300, field.length));
    at += Math.min(300, field.length);
  }
  return request({ rest });
}
