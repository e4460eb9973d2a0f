import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { type Bytes, concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { FIELD_TYPE } from "./extension_field.ts";
import { emptyHeader, encodeHeader } from "./header.ts";
import { decodePacket, type Packet, readFields } from "./packet.ts";

const V4 = encodeHeader(emptyHeader(4, 4));
const V3 = encodeHeader(emptyHeader(3, 4));

function bytes(hex: string): Bytes {
  return fromHex(hex) ?? assert.fail("hexadecimal expected");
}

function packet(...parts: readonly Uint8Array[]): Packet {
  const decoded = decodePacket(concatBytes(...parts));
  return decoded.ok ? decoded.value : assert.fail(decoded.error);
}

function reason(...parts: readonly Uint8Array[]): string {
  const decoded = decodePacket(concatBytes(...parts));
  return decoded.ok ? "none" : decoded.error;
}

function field(type: number, length: number): Bytes {
  const octets = new Uint8Array(length).fill(0xaa);
  octets.set([type >> 8, type, length >> 8, length]);
  return octets;
}

// Captured answer with Network Time Security, protocol-facts 5.1
const NTS_RESPONSE = bytes(
  "240104e80000000000000060544d4e4ce8494892f929579e6287db473ff75f58e84948b2b640d701e84948b2b644bff8" +
    "01040024e4833a8d600e1342435cb29de550acc0f8d8fa16e5c5370a620b155f586adad6040400d4001000bc" +
    "6a1de3c26e13eb10c739d70b841fad1b86e230c63e9ea5f71b62a8a79881ce7c6b17cb3132490fdecf2110564e368892" +
    "ddeef1f423f6555341c2c9176120a518dc1a7edc5ee3c83b05087b7303f7ab86d52cc7490ce829397223dcef2d94faf8" +
    "d71d1280da032dd70469e9ac5f82ef5781d207fbacb4a8b6319114d5f56fb22a0cb6d7dcf77df02146f67e4601b53b21" +
    "7ca8ac1a4d97d59bceeb9833997f100ed469858bcd735201adec38cf8cb2c6d0541a9767ddb3ea091d63d98d03dd6e48" +
    "153dc9b61fe5d91d74ae3548",
);

Deno.test("a captured NTS answer has a unique identifier and an authenticator", () => {
  assert.equal(NTS_RESPONSE.length, 296);
  const { header, fields, trailer } = packet(NTS_RESPONSE);
  assert.equal(header.stratum, 1);
  assert.deepEqual(
    fields.map(({ type, offset, length }) => [type, offset, length]),
    [[FIELD_TYPE.uniqueIdentifier, 48, 36], [FIELD_TYPE.ntsAuthenticator, 84, 212]],
  );
  assert.equal(
    toHex(fields[0]?.body ?? new Uint8Array()),
    "e4833a8d600e1342435cb29de550acc0f8d8fa16e5c5370a620b155f586adad6",
  );
  assert.deepEqual(trailer, { kind: "none" });
});

Deno.test("a bare header has nothing behind it", () => {
  assert.deepEqual(packet(V4).trailer, { kind: "none" });
  assert.deepEqual(packet(V4).fields, []);
});

Deno.test("a rest of 20 or 24 octets is a MAC, behind fields too", () => {
  const mac = bytes("0000002a" + "11".repeat(16)), longMac = bytes("80000001" + "22".repeat(20));
  assert.deepEqual(packet(V4, mac).trailer, {
    kind: "mac",
    offset: 48,
    keyId: 42,
    digest: mac.subarray(4),
  });
  const both = packet(V4, field(0x0104, 16), longMac);
  assert.equal(both.fields.length, 1);
  assert.deepEqual(both.trailer, {
    kind: "mac",
    offset: 64,
    keyId: 0x8000_0001,
    digest: longMac.subarray(4),
  });
});

Deno.test("four zero octets are a crypto-NAK, other four are not", () => {
  assert.deepEqual(packet(V4, new Uint8Array(4)).trailer, { kind: "crypto-nak", offset: 48 });
  assert.deepEqual(packet(V3, new Uint8Array(4)).trailer, { kind: "crypto-nak", offset: 48 });
  assert.deepEqual(packet(V4, field(0x0104, 28), new Uint8Array(4)).trailer, {
    kind: "crypto-nak",
    offset: 76,
  });
  assert.equal(reason(V4, bytes("00000001")), "field-length");
  assert.equal(reason(V4, bytes("01040004")), "field-too-short");
  assert.equal(reason(V3, bytes("00000001")), "mac-length");
});

Deno.test("fields that do not fit are refused with a reason", () => {
  // 1 to 3 octets too many, behind the header and behind a field
  for (let extra = 1; extra <= 3; extra++) {
    assert.equal(reason(V4, new Uint8Array(extra)), "field-truncated");
    assert.equal(reason(V4, field(0x0104, 36), new Uint8Array(extra)), "field-truncated");
  }
  // lengths that are no multiple of four, RFC 7822 section 7.5
  for (const length of [37, 38, 39]) {
    const wrong = field(0x0104, 40);
    wrong[3] = length;
    assert.equal(reason(V4, wrong), "field-length");
  }
  for (const length of [0, 4, 8, 12]) {
    const wrong = field(0x0104, 40);
    wrong[3] = length;
    assert.equal(reason(V4, wrong), "field-too-short");
  }
  const overrun = field(0x0104, 36);
  overrun[3] = 40;
  assert.equal(reason(V4, overrun), "field-overrun");
  // a lone field needs 28 octets, one of 20 or 24 is taken for a MAC
  assert.equal(reason(V4, field(0x0104, 16)), "field-too-short");
  assert.equal(packet(V4, field(0x0104, 20)).trailer.kind, "mac");
  assert.equal(packet(V4, field(0x0104, 28)).fields.length, 1);
  assert.equal(reason(V4, new Uint8Array(22)), "mac-length");
});

Deno.test("the number of fields and the length are bounded", () => {
  const many = new Array<Bytes>(33).fill(field(0x0104, 28));
  assert.equal(reason(V4, ...many), "too-many-fields");
  assert.equal(packet(V4, ...many.slice(1)).fields.length, 32);
  assert.equal(reason(V4, field(0x0104, 2004)), "too-long");
  assert.equal(reason(new Uint8Array(47)), "too-short");
});

Deno.test("in NTPv3 everything behind the header is a MAC", () => {
  assert.equal(packet(V3).trailer.kind, "none");
  const microsoft = packet(V3, bytes("000003e8"), new Uint8Array(16)).trailer;
  assert.equal(microsoft.kind === "mac" && microsoft.keyId, 1000);
  assert.equal(packet(V3, new Uint8Array(72).fill(1)).trailer.kind, "mac");
  for (const length of [12, 20, 24, 36, 52, 68]) {
    assert.equal(packet(V3, new Uint8Array(length).fill(1)).trailer.kind, "mac");
  }
  for (const length of [8, 16, 22, 69, 76]) {
    assert.equal(reason(V3, new Uint8Array(length).fill(1)), "mac-length");
  }
  assert.equal(reason(V3, field(0x0104, 30 - 2)), "none");
});

Deno.test("fields inside an authenticator may be as short as their header", () => {
  const read = readFields(bytes("f0000004" + "0204000811223344"));
  assert.ok(read.ok);
  assert.deepEqual(read.value.map(({ type, length }) => [type, length]), [[0xf000, 4], [0x204, 8]]);
  assert.deepEqual(readFields(bytes("f0000000")), { ok: false, error: "field-too-short" });
});

Deno.test("no octets make the decoder throw, and its parts cover the packet", () => {
  // lengths and types near the right ones, so that the walk goes deep
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 1, max: 20 }))
      .map(([type, words]) => field(type, words * 4)),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.array(piece, { maxLength: 12 }),
      (first, pieces) => {
        const octets = concatBytes(V4, ...pieces);
        octets[0] = first;
        const decoded = decodePacket(octets);
        if (!decoded.ok) return;
        const { fields, trailer } = decoded.value;
        let end = 48;
        for (const each of fields) {
          assert.equal(each.offset, end);
          end += each.length;
        }
        assert.equal(trailer.kind === "none" ? octets.length : trailer.offset, end);
      },
    ),
    { numRuns: 5000 },
  );
});
