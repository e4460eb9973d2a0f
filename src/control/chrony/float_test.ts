import assert from "node:assert/strict";
import { decodeFloat } from "../../../tests/support/chrony_float.ts";
import { encodeFloat } from "./float.ts";

/** Encodings that chronyd sends. */
const VECTORS: readonly (readonly [number, number])[] = [
  [0, 0x00000000],
  [1, 0x04800000],
  [-1, 0x03000000],
  [0.5, 0x02800000],
  [-0.5, 0x01000000],
  [2, 0x06800000],
  [4, 0x08800000],
  [10, 0x0aa00000],
  [2000, 0x18fa0000],
  [1e-3, 0xf083126f],
  [1e-6, 0xdc8637bd],
  [-1e-6, 0xdd79c843],
  [0.1, 0xfccccccd],
  [-0.1, 0xfd333333],
  [3.141592503, 0x06c90fda],
  [123456.789, 0x24f12065],
];

function assertClose(actual: number, wanted: number) {
  assert.ok(Math.abs(actual - wanted) <= Math.abs(wanted) * 1e-7, `${actual} is not ${wanted}`);
}

Deno.test("chrony float: what chronyd sends is read, and what we send is read the same", () => {
  for (const [value, bits] of VECTORS) {
    assertClose(decodeFloat(bits), value);
    assertClose(decodeFloat(encodeFloat(value)), value);
    if (value > 0) assert.equal(encodeFloat(value), bits, `${value}`);
  }
});

Deno.test("chrony float: every size and sign survives; what cannot be said is zero or the most", () => {
  for (let exponent = -39; exponent <= 60; exponent++) {
    for (const sign of [1, -1]) {
      const value = sign * 1.7 * 2 ** exponent;
      assertClose(decodeFloat(encodeFloat(value)), value);
    }
  }
  for (const nothing of [0, -0, NaN, 1e-13, -1e-20]) assert.equal(encodeFloat(nothing), 0);
  assert.equal(encodeFloat(1e30), 0x7effffff);
  assert.equal(encodeFloat(Infinity), 0x7effffff);
  assert.ok(decodeFloat(encodeFloat(-Infinity)) < -1e18);
});
