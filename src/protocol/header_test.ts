import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { type Bytes, fromHex, toHex } from "../base/bytes.ts";
import { difference, fromUnixNanoseconds } from "../base/ntp_timestamp.ts";
import { decodeHeader, emptyHeader, encodeHeader, type NtpHeader } from "./header.ts";
import { decodeShort, encodeShort, SHORT_FORMAT_MAX } from "./short_format.ts";

function bytes(hex: string): Bytes {
  return fromHex(hex) ?? assert.fail("hexadecimal expected");
}

function header(hex: string): NtpHeader {
  const decoded = decodeHeader(bytes(hex));
  return decoded.ok ? decoded.value : assert.fail(decoded.error);
}

// Captured packets of ntpd-rs's tests (data only), protocol-facts 5.1
const CLIENT =
  "230206e8000003ff0000037d5ec69f0fe5f662987b61b9afe5f663667b64995de5f6636681405590e5f663a8761dde48";
const SERVER =
  "240206e900000236000003b7c035676ce5f661fd6f165f03e5f663a87619ef40e5f663a8798c6581e5f663a8798eae2b";

Deno.test("a captured request is read field by field", () => {
  assert.deepEqual(header(CLIENT), {
    leapIndicator: 0,
    version: 4,
    mode: 3,
    stratum: 2,
    poll: 6,
    precision: -24,
    rootDelay: 1023 / 65536,
    rootDispersion: 893 / 65536,
    referenceId: 0x5ec69f0f,
    referenceTimestamp: 0xe5f662987b61b9afn,
    originTimestamp: 0xe5f663667b64995dn,
    receiveTimestamp: 0xe5f6636681405590n,
    transmitTimestamp: 0xe5f663a8761dde48n,
  });
});

Deno.test("a captured answer is read and written back octet for octet", () => {
  const answer = header(SERVER);
  assert.equal(answer.mode, 4);
  assert.equal(answer.stratum, 2);
  assert.equal(answer.precision, -23);
  assert.equal(answer.referenceId, 0xc035676c);
  assert.equal(answer.originTimestamp, 0xe5f663a87619ef40n);
  assert.equal(toHex(encodeHeader(answer)), SERVER);
  assert.equal(toHex(encodeHeader(header(CLIENT))), CLIENT);
});

Deno.test("signs, the widest numbers and the version survive", () => {
  const all = header("ff".repeat(48));
  assert.equal(all.leapIndicator, 3);
  assert.equal(all.version, 7);
  assert.equal(all.mode, 7);
  assert.equal(all.stratum, 255);
  assert.equal(all.poll, -1);
  assert.equal(all.precision, -1);
  assert.equal(all.rootDelay, SHORT_FORMAT_MAX);
  assert.equal(all.referenceId, 0xffff_ffff);
  assert.equal(all.transmitTimestamp, 0xffff_ffff_ffff_ffffn);
  assert.equal(header("1c" + "00".repeat(47)).version, 3);
});

Deno.test("fewer than 48 octets are refused, more are not looked at", () => {
  for (let length = 0; length < 48; length++) {
    assert.deepEqual(decodeHeader(new Uint8Array(length)), { ok: false, error: "too-short" });
  }
  assert.equal(decodeHeader(bytes(SERVER + "ffff")).ok, true);
});

Deno.test("a view into the middle of a buffer is read where it is", () => {
  const buffer = bytes("aa".repeat(7) + SERVER + "bb");
  const decoded = decodeHeader(buffer.subarray(7, 55));
  assert.equal(decoded.ok && decoded.value.referenceId, 0xc035676c);
});

Deno.test("any 48 octets are a header, and are written back unchanged", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 48, maxLength: 48 }), (octets) => {
      const decoded = decodeHeader(octets);
      assert.ok(decoded.ok);
      assert.equal(toHex(encodeHeader(decoded.value)), toHex(octets));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("an empty header has version and mode alone", () => {
  assert.equal(toHex(encodeHeader(emptyHeader(4, 3))), "23" + "00".repeat(47));
  assert.equal(toHex(encodeHeader(emptyHeader(3, 4))), "1c" + "00".repeat(47));
});

Deno.test("the short format rounds up and is limited", () => {
  assert.equal(encodeShort(0), 0);
  assert.equal(encodeShort(1), 0x0001_0000);
  assert.equal(encodeShort(1e-9), 1);
  assert.equal(encodeShort(0.5 + 1e-9), 0x8001);
  assert.equal(encodeShort(-1), 0);
  assert.equal(encodeShort(Number.NaN), 0);
  assert.equal(encodeShort(1e9), 0xffff_ffff);
  assert.equal(decodeShort(0x8000_0000), 32768);
  assert.equal(decodeShort(-1), SHORT_FORMAT_MAX);
});

Deno.test("the era changes in February 2036 without a seam", () => {
  // 2036-02-07 06:28:16 UTC is 2085978496 s after 1970 (RFC 5905 figure 4)
  const before = fromUnixNanoseconds(2_085_978_495_500_000_000n);
  const after = fromUnixNanoseconds(2_085_978_496_250_000_000n);
  assert.equal(before, 0xffff_ffff_8000_0000n);
  assert.equal(after, 0x0000_0000_4000_0000n);
  assert.equal(difference(after, before), 0.75);
  const decoded = decodeHeader(encodeHeader({ ...emptyHeader(4, 4), transmitTimestamp: after }));
  assert.equal(decoded.ok && difference(decoded.value.transmitTimestamp, before), 0.75);
});
