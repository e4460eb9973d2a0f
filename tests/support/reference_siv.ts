/**
 * AES-SIV written as plainly as RFC 5297 tells it, on the bare block cipher, to compare the real
 * implementations with.
 *
 * @module
 */
import { ecb } from "@noble/ciphers/aes.js";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";

/**
 * Seals by S2V over the components and then the plaintext, and counter mode; RFC 5297 sections 2.4
 * to 2.6.
 */
export function referenceSivSeal(
  key: Bytes,
  components: readonly Bytes[],
  plaintext: Bytes,
): Bytes {
  const half = key.length / 2;
  const v = s2v(key.slice(0, half), [...components, plaintext]);
  const counter = v.slice();
  counter[8]! &= 0x7f;
  counter[12]! &= 0x7f;
  const sealed = new Uint8Array(plaintext.length);
  for (let i = 0; i < plaintext.length; i++) {
    if (i > 0 && i % 16 === 0) increment(counter);
    sealed[i] = plaintext[i]! ^ block(key.slice(half), counter)[i % 16]!;
  }
  return concatBytes(v, sealed);
}

function block(key: Bytes, input: Bytes): Bytes {
  return ecb(key, { disablePadding: true }).encrypt(input);
}

function increment(counter: Bytes): void {
  for (let i = 15; i >= 0; i--) {
    counter[i] = (counter[i]! + 1) & 0xff;
    if (counter[i] !== 0) return;
  }
}

function xor(a: Bytes, b: Bytes): Bytes {
  return a.map((octet, i) => octet ^ b[i]!);
}

function double(input: Bytes): Bytes {
  const output = new Uint8Array(16);
  for (let i = 0; i < 16; i++) output[i] = (input[i]! << 1) | ((input[i + 1] ?? 0) >> 7);
  if (input[0]! >= 0x80) output[15]! ^= 0x87;
  return output;
}

function pad(input: Bytes): Bytes {
  const output = new Uint8Array(16);
  output.set(input);
  output[input.length] = 0x80;
  return output;
}

function cmac(key: Bytes, message: Bytes): Bytes {
  const k1 = double(block(key, new Uint8Array(16)));
  const count = Math.max(1, Math.ceil(message.length / 16));
  const last = message.slice((count - 1) * 16);
  let x = new Uint8Array(16);
  for (let i = 0; i < count - 1; i++) x = block(key, xor(x, message.slice(i * 16, i * 16 + 16)));
  const final = last.length === 16 ? xor(last, k1) : xor(pad(last), double(k1));
  return block(key, xor(x, final));
}

function s2v(key: Bytes, strings: readonly Bytes[]): Bytes {
  let d = cmac(key, new Uint8Array(16));
  for (const string of strings.slice(0, -1)) d = xor(double(d), cmac(key, string));
  const last = strings.at(-1)!;
  if (last.length < 16) return cmac(key, xor(double(d), pad(last)));
  const end = last.length - 16;
  return cmac(key, concatBytes(last.slice(0, end), xor(last.slice(end), d)));
}
