import assert from "node:assert/strict";
import type { RandomSource } from "../base/random.ts";
import { SeededRandom } from "../base/random.ts";
import { KeyedHash } from "./keyed_hash.ts";

/** Gives the key octets 00 01 .. 07 of the reference implementation's vectors. */
const referenceKey: RandomSource = {
  uint32: (() => {
    const words = [0x03020100, 0x07060504];
    return () => words.shift() ?? 0;
  })(),
  fill: () => assert.fail("The key is drawn as words"),
};

Deno.test("the hash is HalfSipHash-2-4 (reference vector of eight octets)", () => {
  const hash = new KeyedHash(referenceKey);
  // Message 00 01 .. 07; the vector is d0 b8 84 8f, little-endian.
  assert.equal(hash.hash(0x03020100, 0x07060504), 0x8f84b8d0 | 0);
});

Deno.test("two keys place the same addresses differently", () => {
  const a = new KeyedHash(new SeededRandom(1)), b = new KeyedHash(new SeededRandom(2));
  let same = 0;
  for (let i = 0; i < 1000; i++) if ((a.hash(0, i) & 0xff) === (b.hash(0, i) & 0xff)) same++;
  assert.ok(same < 20, `${same} of 1000 agree in eight bits, about 4 are expected`);
});
