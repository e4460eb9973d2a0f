import assert from "node:assert/strict";
import fc from "fast-check";
import { SeededRandom } from "../base/random.ts";
import { macKey } from "../crypto/mac.ts";
import { decodePacket } from "../protocol/packet.ts";
import { SymmetricKeys } from "./authentication.ts";
import { InterleavedTable } from "./interleaved.ts";
import { requestKind } from "./request_kind.ts";
import { request, TestServer } from "./test_server.ts";

function fullServer(): TestServer {
  const random = new SeededRandom(1);
  const key = macKey("SHA1", new Uint8Array(20).fill(1));
  assert.ok(key.ok);
  return new TestServer({
    versions: [1, 2, 3, 4, 5, 6, 7],
    interleaved: new InterleavedTable({ random }),
    keys: new SymmetricKeys(new Map([[1, key.value]])),
  });
}

function judge(server: TestServer, octets: Uint8Array): void {
  const reply = server.askOne(octets);
  if (reply === undefined) return;
  const mode = (octets[0] ?? 0) & 7;
  const text = `mode ${mode}, ${octets.length} octets`;
  assert.ok(octets.length >= 48, `answered too short a request: ${text}`);
  assert.ok(mode === 3 || mode === 1, `answered what is no request: ${text}`);
  assert.ok(reply.length <= octets.length, `answered with ${reply.length} octets: ${text}`);
  assert.equal((reply[0] ?? 0) & 7, mode === 3 ? 4 : 2, text);
  assert.equal((reply[0] ?? 0) & 0x38, (octets[0] ?? 0) & 0x38, text);
}

Deno.test("every mode, version and length: no answer but to requests, and none longer", () => {
  const server = fullServer();
  const random = new SeededRandom(7);
  for (let first = 0; first < 256; first++) {
    for (let length = 0; length <= 1500; length += length < 130 ? 1 : 37) {
      const octets = new Uint8Array(length);
      if (length % 3 > 0) random.fill(octets);
      if (length > 0) octets[0] = first;
      judge(server, octets);
    }
  }
  // Plain requests alone: four leap indicators, seven versions, two modes.
  assert.equal(server.responder.counters.answered, 56);
});

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
      judge(server, octets);
      compareKinds(octets);
    },
  );
  fc.assert(property, { numRuns: 3000 });
});

/** The quick walk of the answer path refuses exactly what the decoder refuses. */
function compareKinds(octets: Uint8Array<ArrayBuffer>): void {
  if (octets.length < 48 || octets.length > 2048) return;
  const version = ((octets[0] ?? 0) >>> 3) & 7;
  const kind = requestKind(octets, 0, { length: octets.length, version });
  const decoded = decodePacket(octets);
  if (!decoded.ok) return assert.equal(kind, "malformed", decoded.error);
  const { trailer, fields } = decoded.value;
  const hasNts = fields.some((field) => field.type === 0x0204 || field.type === 0x0404);
  if (kind === "malformed") {
    const isOdd = trailer.kind === "crypto-nak" || (trailer.kind === "mac" && hasNts);
    const macLength = trailer.kind === "mac" ? octets.length - trailer.offset : 20;
    assert.ok(isOdd || ![20, 24, 72].includes(macLength), "refused what the decoder takes");
    return;
  }
  assert.equal(kind.startsWith("mac"), trailer.kind === "mac");
  if (trailer.kind === "none") assert.equal(kind === "nts", hasNts);
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
