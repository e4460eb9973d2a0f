import assert from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { concatBytes, equalConstantTime, fromHex, toHex } from "./bytes.ts";

Deno.test("octets are written as lower-case hexadecimal, and read back", () => {
  assert.equal(toHex(Uint8Array.of(0, 15, 16, 171, 255)), "000f10abff");
  assert.equal(toHex(new Uint8Array()), "");
  assert.deepEqual(fromHex("00 0F 10\n ab ff"), Uint8Array.of(0, 15, 16, 171, 255));
  assert.deepEqual(fromHex(""), new Uint8Array());
  fc.assert(fc.property(fc.uint8Array(), (octets) => {
    assert.deepEqual(fromHex(toHex(octets)), octets);
  }));
});

Deno.test("what is not hexadecimal is refused", () => {
  for (const text of ["0", "0g", "0x00", "-1", "00:11", "é0"]) {
    assert.equal(fromHex(text), undefined, text);
  }
});

Deno.test("joined octets are a copy", () => {
  const first = Uint8Array.of(1, 2);
  const joined = concatBytes(first, new Uint8Array(), Uint8Array.of(3));
  first[0] = 9;
  assert.deepEqual(joined, Uint8Array.of(1, 2, 3));
  assert.deepEqual(concatBytes(), new Uint8Array());
});

Deno.test("octet strings are equal when every octet is", () => {
  assert.equal(equalConstantTime(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)), true);
  assert.equal(equalConstantTime(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2)), false);
  assert.equal(equalConstantTime(new Uint8Array(), new Uint8Array()), true);
  fc.assert(fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.nat(7), (a, at, bit) => {
    const b = a.slice();
    const index = at % a.length;
    b[index] = (b[index] ?? 0) ^ (1 << bit);
    assert.equal(equalConstantTime(a, b), false);
  }));
});
