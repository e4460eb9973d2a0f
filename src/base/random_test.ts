import assert from "node:assert/strict";
import { toHex } from "./bytes.ts";
import { randomBytes, type RandomSource, randomUint64, SeededRandom, uniform } from "./random.ts";

const MASK = 0xffff_ffffn;

/**
 * Xoshiro128**, written down plainly from its definition (Blackman and Vigna, "Scrambled linear
 * generators", figure 5).
 */
function* plainXoshiro(state: readonly bigint[]): Generator<number, never> {
  let [a = 0n, b = 0n, c = 0n, d = 0n] = state;
  const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (32n - by))) & MASK;
  for (;;) {
    yield Number((rotate((b * 5n) & MASK, 7n) * 9n) & MASK);
    const shifted = (b << 9n) & MASK;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11n);
  }
}

function take(source: Iterator<number, never>, count: number): number[] {
  return Array.from({ length: count }, () => source.next().value);
}

Deno.test("the plain generator gives the numbers of the authors' C program", () => {
  // made with xoshiro128starstar.c from this state, as published with the tests of
  // edorfaus/xoshiro-6502
  const state = [0x964d4a0cn, 0xd40ab895n, 0xad7fdecbn, 0x3006f0f0n];
  const expected = [0xf1391922, 0x6fe53806, 0xa5be2840, 0xf510ee70];
  assert.deepEqual(take(plainXoshiro(state), 4), expected);
});

Deno.test("a seeded source runs through the sequence of its state", () => {
  const random = new SeededRandom(1);
  const plain = plainXoshiro([0x5e2d1772n, 0x14e498f0n, 0xd20ea1fdn, 0xb382f339n]);
  for (let i = 0; i < 1000; i++) assert.equal(random.uint32(), plain.next().value, `number ${i}`);
});

Deno.test("a seed gives the same numbers for ever: simulations are repeated by it", () => {
  const first = (seed: number) => {
    const random = new SeededRandom(seed);
    return [random.uint32(), random.uint32(), random.uint32()];
  };
  assert.deepEqual(first(0), [0x6ab03720, 0x2ae349e, 0x96495024]);
  assert.deepEqual(first(42), [0x275d943d, 0xd9b9aab4, 0x4a1304e]);
  assert.deepEqual(first(-1), first(0xffff_ffff));
});

Deno.test("octets are the numbers, least significant first; a part of the last is left out", () => {
  const random = new SeededRandom(0);
  // 6ab03720 02ae349e 96495024
  assert.equal(toHex(randomBytes(random, 10)), "2037b06a9e34ae022450");
  assert.equal(random.uint32(), 0xe5671339);
  assert.equal(randomBytes(random, 0).length, 0);
});

Deno.test("a 64-bit number is two draws, the first above", () => {
  assert.equal(randomUint64(new SeededRandom(0)), 0x6ab03720_02ae349en);
});

Deno.test("uniform numbers reach from 0 to just below 1", () => {
  const constant = (value: number): RandomSource => ({ uint32: () => value, fill: () => {} });
  assert.equal(uniform(constant(0)), 0);
  assert.equal(uniform(constant(0xffff_ffff)), 1 - 2 ** -53);
  const random = new SeededRandom(5);
  let sum = 0, sumOfSquares = 0;
  for (let i = 0; i < 10_000; i++) {
    const x = uniform(random);
    sum += x;
    sumOfSquares += x * x;
  }
  // four standard deviations of the mean, and of the mean square
  assert.ok(Math.abs(sum / 10_000 - 1 / 2) < 4 * Math.sqrt(1 / 12) / 100);
  assert.ok(Math.abs(sumOfSquares / 10_000 - 1 / 3) < 4 * Math.sqrt(4 / 45) / 100);
});
