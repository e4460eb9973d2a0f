/**
 * Decoders of packets under fuzz: the header, whole packets, fields, and the two readers that must
 * agree on what a request is.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, concatBytes, toHex } from "../../src/base/bytes.ts";
import { decodeHeader, encodeHeader } from "../../src/protocol/header.ts";
import { decodePacket, type Packet, readFields } from "../../src/protocol/packet.ts";
import { PacketWalk } from "../../src/protocol/packet_walk.ts";
import { formatReferenceId } from "../../src/protocol/reference_id.ts";
import { requestKind } from "../../src/server/request_kind.ts";
import { CAPTURED_REQUEST, CAPTURED_RESPONSE } from "../vectors/nts_packets.ts";
import { anyHeader, field, packet } from "./grammar_packets.ts";
import { below, several } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

// Captured packets of ntpd-rs's tests (data only)
const REQUEST =
  "230206e8000003ff0000037d5ec69f0fe5f662987b61b9afe5f663667b64995de5f6636681405590e5f663a8761dde48";
/** An answer of a server. */
export const ANSWER =
  "240206e900000236000003b7c035676ce5f661fd6f165f03e5f663a87619ef40e5f663a8798c6581e5f663a8798eae2b";
/** A kiss that asks for fewer requests. */
export const RATE = "e4000a0000000000000000005241544500000000000000000000000000000000" +
  "00".repeat(16);

/** The targets. */
export const PACKET_TARGETS: readonly FuzzTarget[] = [
  {
    name: "header",
    oracle: "48 octets are a header, whatever they are, and it is written again as it was",
    budget: 4000,
    seeds: [REQUEST, ANSWER, RATE],
    generate: anyHeader,
    run(octets) {
      const header = decodeHeader(octets);
      assert.equal(header.ok, octets.length >= 48);
      if (!header.ok) return;
      assert.equal(toHex(encodeHeader(header.value)), toHex(octets.subarray(0, 48)));
      assert.ok(formatReferenceId(header.value.referenceId, header.value).length <= 15);
    },
  },
  {
    name: "packet",
    oracle:
      "the parts of a packet lie one after the other and fill it, and written again they are the packet; " +
      "the decoder and the server's walk agree on what it is",
    budget: 4000,
    seeds: [REQUEST, ANSWER + "00000000", CAPTURED_REQUEST.packet, CAPTURED_RESPONSE.packet],
    generate: packet,
    run: fuzzPacket,
  },
  {
    name: "fields",
    oracle: "fields fill the octets exactly",
    budget: 3000,
    seeds: [CAPTURED_RESPONSE.packet.slice(96), "f0000004" + "0204000811223344"],
    generate: (random) => concatBytes(...several(below(random, 6), () => field(random))),
    run(octets) {
      const fields = readFields(octets);
      if (!fields.ok) return;
      const total = fields.value.reduce((sum, { length }) => sum + length, 0);
      assert.equal(total, octets.length);
    },
  },
];

function fuzzPacket(octets: Bytes): void {
  const decoded = decodePacket(octets);
  const version = ((octets[0] ?? 0) >> 3) & 7;
  if (octets.length >= 48 && octets.length <= 2048) {
    const walk = new PacketWalk();
    walk.start({ bytes: octets, offset: 0, length: octets.length }, version);
    const kind = requestKind(walk);
    if (!decoded.ok) assert.equal(kind, "malformed", decoded.error);
    else if (kind === "mac") assert.equal(decoded.value.trailer.kind, "mac");
    else if (kind !== "malformed") assert.equal(decoded.value.trailer.kind, "none");
  }
  if (!decoded.ok) return;
  const { fields, trailer } = decoded.value;
  const end = fields.reduce((at, { offset, length }) => {
    assert.equal(offset, at);
    return at + length;
  }, 48);
  assert.equal(trailer.kind === "none" ? octets.length : trailer.offset, end);
  assert.equal(toHex(written(decoded.value)), toHex(octets));
}

function written({ header, fields, trailer }: Packet): Bytes {
  const word = new Uint8Array(4);
  if (trailer.kind === "mac") new DataView(word.buffer).setUint32(0, trailer.keyId);
  return concatBytes(
    encodeHeader(header),
    ...fields.flatMap(({ type, length, body }) => [
      Uint8Array.of(type >> 8, type & 0xff, length >> 8, length & 0xff),
      body,
    ]),
    trailer.kind === "none" ? new Uint8Array() : word,
    trailer.kind === "mac" ? trailer.digest : new Uint8Array(),
  );
}
