import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { toHex } from "./bytes.ts";
import { canonicalIp, ipFamily, ipFromBytes, ipToBytes } from "./ip_address.ts";

Deno.test("numeric addresses come to their canonical form", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["192.0.2.01", undefined],
    ["192.0.2", undefined],
    ["192.0.2.256", undefined],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    // RFC 5952 sections 1 and 4.2
    ["2001:0db8:0:0:0:0:0002:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8::AAAA", "2001:db8::aaaa"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1::2:3:4:5:6:7:8", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1:::2", undefined],
    ["1::2::3", undefined],
    ["12345::", undefined],
    [":1:2:3:4:5:6:7", undefined],
    ["192.0.2.1::", undefined],
    ["", undefined],
    ["localhost", undefined],
    ["fe80::1%2", undefined],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalIp(text), expected, text);
});

Deno.test("octets are in network order", () => {
  assert.equal(toHex(ipToBytes("192.0.2.1") ?? new Uint8Array()), "c0000201");
  assert.equal(
    toHex(ipToBytes("2001:db8::8:800:200c:417a") ?? new Uint8Array()),
    "20010db80000000000080800200c417a",
  );
  assert.equal(ipFamily("192.0.2.1"), "ipv4");
  assert.equal(ipFamily("::1"), "ipv6");
  assert.equal(ipFromBytes(new Uint8Array(5)), undefined);
});

Deno.test("octets survive the way through text", () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.array(fc.constantFrom(0, 0, 0, 255), { minLength: 16, maxLength: 16 })
      .map((list) => Uint8Array.from(list)),
  );
  fc.assert(fc.property(octets, (bytes) => {
    const text = ipFromBytes(bytes) ?? "";
    assert.equal(toHex(ipToBytes(text) ?? new Uint8Array()), toHex(bytes));
    assert.equal(canonicalIp(text), text);
  }));
});
