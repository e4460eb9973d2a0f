import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { type Kiss, kissOf } from "./kiss_code.ts";
import {
  formatReferenceId,
  LOCAL_REFERENCE_ID,
  parseReferenceId,
  referenceIdFromAscii,
  referenceIdOfAddress,
} from "./reference_id.ts";

Deno.test("an address becomes the identifier that others know it by", () => {
  assert.equal(referenceIdOfAddress("192.0.2.1"), 0xc0000201);
  assert.equal(referenceIdOfAddress("255.255.255.255"), 0xffffffff);
  // protocol-facts 4.5, NTPsec macencrypt.c
  assert.equal(referenceIdOfAddress("2001:db8:85a3:8d3:1319:8a2e:370:7334"), 0x52fdcf75);
  assert.equal(referenceIdOfAddress("time.example.org"), undefined);
});

Deno.test("an identifier is written by its stratum", () => {
  const gps = 0x47505300;
  assert.equal(formatReferenceId(gps, { stratum: 1 }), "GPS");
  assert.equal(formatReferenceId(gps, { stratum: 2 }), "71.80.83.0");
  assert.equal(formatReferenceId(gps, { stratum: 2, family: "ipv6" }), "47505300");
  assert.equal(formatReferenceId(0x52415445, { stratum: 0 }), "RATE");
  assert.equal(formatReferenceId(0xff000001, { stratum: 1 }), "FF000001");
  assert.equal(formatReferenceId(0, { stratum: 0 }), "00000000");
  for (const stratum of [1, 2, 15]) {
    assert.equal(formatReferenceId(LOCAL_REFERENCE_ID, { stratum }), "127.127.1.1");
    assert.equal(formatReferenceId(0x7f000001, { stratum, family: "ipv6" }), "127.0.0.1");
  }
  assert.equal(formatReferenceId(0xfe800000, { stratum: 3, family: "ipv4" }), "254.128.0.0");
});

Deno.test("an administrator's identifier is read", () => {
  assert.equal(referenceIdFromAscii("PPS"), 0x50505300);
  assert.equal(parseReferenceId("LOCL"), 0x4c4f434c);
  assert.equal(parseReferenceId("127.127.1.1"), 0x7f7f0101);
  for (const wrong of ["", "TOOLONG", "::1", "a b", "Zürich"]) {
    assert.equal(parseReferenceId(wrong), undefined, wrong);
  }
});

Deno.test("kisses are told from unsynchronised servers", () => {
  const cases: readonly (readonly [string, Kiss])[] = [
    ["RATE", "rate"],
    ["DENY", "deny"],
    ["RSTR", "restrict"],
    ["NTSN", "nts-nak"],
    ["INIT", "unsynchronized"],
    ["STEP", "unsynchronized"],
    ["XNON", "unsynchronized"],
    ["MCST", "unknown"],
    ["X123", "unknown"],
    ["rate", "unsynchronized"],
    ["DEN", "unsynchronized"],
  ];
  for (const [code, kiss] of cases) {
    assert.equal(kissOf({ stratum: 0, referenceId: referenceIdFromAscii(code) }), kiss, code);
  }
  assert.equal(kissOf({ stratum: 0, referenceId: 0 }), "unsynchronized");
  assert.equal(kissOf({ stratum: 1, referenceId: referenceIdFromAscii("RATE") }), undefined);
});

Deno.test("text and identifier of stratum 1 go both ways", () => {
  fc.assert(fc.property(fc.stringMatching(/^[A-Z0-9]{1,4}$/), (text) => {
    assert.equal(formatReferenceId(referenceIdFromAscii(text), { stratum: 1 }), text);
  }));
});
